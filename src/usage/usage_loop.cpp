#include "usage/usage_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "base/log.hpp"

namespace latchkey::usage {
namespace {

using std::chrono::milliseconds;

std::string random_writer(Random& random) {
  std::array<std::uint8_t, 16> bytes;
  random.fill(bytes);
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

UsageLoop::UsageLoop(UsageRecorder& recorder, UsageSink& sink, const Clock& clock, Random& random,
                     UsageLoopConfig config)
    : recorder_(recorder),
      sink_(sink),
      clock_(clock),
      config_(std::move(config)),
      writer_(random_writer(random)),
      covered_(clock.wall()) {}

UsageLoop::~UsageLoop() { stop(); }

// A request that is counted after the moment is read and before its stripe is taken is in this batch and belongs to the
// next: "covered until" promises no more than what it says.
void UsageLoop::take(bool ended) {
  const UnixMillis now = clock_.wall();
  Taken taken = recorder_.take();
  last_rows_ = taken.rows.size();
  const bool nothing = taken.rows.empty() && taken.refusals.empty() && !ended;
  const BootTime boot = clock_.boot();
  if (nothing && said_ && boot - *said_ < config_.idle) return;
  said_ = boot;
  std::size_t next = 0;
  do {
    const std::size_t end = std::min(next + batch_rows, taken.rows.size());
    const bool last = end == taken.rows.size();
    Batch batch{.writer = writer_, .seq = ++seq_, .covered_until = last ? now : covered_, .ended = ended && last};
    for (; next < end; ++next) {
      Row& row = taken.rows[next];
      if (row.key != KeyId()) row.user_id = config_.user_of(row.key).value_or("");
      batch.rows.push_back(std::move(row));
    }
    if (last) batch.refusals = std::move(taken.refusals);
    waiting_rows_ += batch.rows.size();
    waiting_.push_back(pack(batch));
  } while (next < taken.rows.size());
  covered_ = now;
}

Result<bool> UsageLoop::hand_over() {
  while (!waiting_.empty()) {
    auto done = sink_.write(waiting_.front());
    if (!done && done.error().code == ErrorCode::conflict) {  // it never will: the ones behind it go on
      log_error("usage: the store refuses a batch, and {} rows are lost: {}", waiting_.front().row_count,
                done.error().internal);
      waiting_rows_ -= waiting_.front().row_count;
      waiting_.pop_front();
      continue;
    }
    if (!done || !*done) return done;
    arrived(waiting_.front());
    waiting_.pop_front();
  }
  return true;
}

void UsageLoop::arrived(const PackedBatch& batch) {
  flushed_ += batch.row_count;
  waiting_rows_ -= batch.row_count;
  covered_until_ = batch.covered_until.count;
}

milliseconds UsageLoop::step() {
  if (waiting_.empty()) take(false);
  const auto done = hand_over();
  note(done);
  if (!done || !*done) return config_.retry;
  return std::clamp(milliseconds(last_rows_), config_.shortest, config_.longest);
}

// Once when it begins and once when it is over.
void UsageLoop::note(const Result<bool>& done) {
  if (!done) ++failures_;
  if (!done && done.error().code == ErrorCode::not_found) return;  // the tables are not made yet
  if (!done && !std::exchange(fails_, true)) {
    log_warning("usage: cannot be written, and adds up in memory meanwhile: {} {}", done.error().detail,
                done.error().internal);
  }
  if (done && *done && std::exchange(fails_, false)) log_info("usage: is written again");
}

bool UsageLoop::finish() {
  take(true);
  const auto end = std::chrono::steady_clock::now() + config_.farewell;
  for (;;) {
    const auto done = hand_over();
    if (done && *done) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
}

void UsageLoop::start() {
  started_ = true;
  thread_.start([this] {
    while (thread_.sleep(step())) {
    }
  });
}

void UsageLoop::stop() {
  thread_.stop();
  if (!std::exchange(started_, false)) return;
  if (!finish()) log_warning("usage: {} rows have not arrived in the store and are lost", waiting_rows_.load());
}

UsageLoopStats UsageLoop::stats() const {
  return {flushed_.load(), waiting_rows_.load(), failures_.load(), {covered_until_.load()}};
}

}  // namespace latchkey::usage
