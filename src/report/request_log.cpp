#include "report/request_log.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "report/request_line.hpp"

namespace latchkey::report {
namespace {

constexpr std::size_t max_batch_bytes = 256 * 1024;

}  // namespace

RequestLog::RequestLog(std::unique_ptr<LogSink> sink, RequestLogConfig config)
    : config_(config), sink_(std::move(sink)) {
  taken_.reserve(config_.lane_bytes);
  lines_.resize(max_batch_bytes);
  thread_ = std::thread([this] { run(); });
}

RequestLog::~RequestLog() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RequestLog::record(const RequestRecord& record) {
  const WaitingRecord waiting(record);
  // A lane for each few threads, so that I/O threads do not wait for each other. A full lane drops the line and counts
  // it: a slow disk costs lines, never requests.
  Lane& lane = lanes_[Counter::stripe() % lanes_.size()];
  const MutexLock lock(lane.mutex);
  if (lane.waiting.capacity() < config_.lane_bytes) lane.waiting.reserve(config_.lane_bytes);  // once a lane
  if (lane.waiting.size() + waiting.bytes() > config_.lane_bytes) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  waiting.append_to(lane.waiting);
}

// Each call has a number. The writer thread notes the numbers that it saw before it drained: all lines that were
// recorded before those calls are written then.
void RequestLog::flush() {
  const MutexLock lock(mutex_);
  const std::uint64_t asked = ++flushes_asked_;
  changed_.notify_all();
  while (flushes_done_ < asked) changed_.wait(mutex_);
}

void RequestLog::run() {
  for (bool last = false; !last;) {
    std::uint64_t asked = 0;
    {
      const MutexLock lock(mutex_);
      const auto end = std::chrono::steady_clock::now() + config_.interval;
      while (!stopping_ && flushes_asked_ <= flushes_done_ && changed_.wait_until(mutex_, end)) {
      }
      last = stopping_;
      asked = flushes_asked_;
    }
    drain();
    {
      const MutexLock lock(mutex_);
      flushes_done_ = asked;
    }
    changed_.notify_all();
  }
}

void RequestLog::drain() {
  char* end = lines_.data();
  std::uint64_t count = 0;
  const auto write_lines = [&] {
    write({lines_.data(), end}, std::exchange(count, 0));
    end = lines_.data();
  };
  for (auto& lane : lanes_) {
    taken_.clear();
    {
      const MutexLock lock(lane.mutex);
      if (!lane.waiting.empty()) lane.waiting.swap(taken_);  // both keep their room
    }
    const char* waiting = taken_.data();
    for (const char* last = waiting + taken_.size(); waiting != last; ++count) {
      if (end + max_line_bytes > lines_.data() + lines_.size()) write_lines();
      write_line(end, waiting);
    }
  }
  if (count > 0) write_lines();
}

void RequestLog::write(std::string_view lines, std::uint64_t count) {
  if (reopen_.exchange(false)) sink_->reopen();
  const auto appended = sink_->append(lines);
  const bool good = appended.has_value();
  (good ? written_ : dropped_).fetch_add(count, std::memory_order_relaxed);
  if (good == !failing_) return;
  failing_ = !good;
  if (failing_) {
    log_error("the request log cannot be written: {}; requests go on unlogged, and are counted",
              appended.error().detail);
  } else {
    log_info("the request log can be written again");
  }
}

}  // namespace latchkey::report
