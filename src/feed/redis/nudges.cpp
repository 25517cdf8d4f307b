#include "feed/redis/nudges.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>

#include "feed/redis/layout.hpp"

namespace latchkey::feed {

using std::chrono::steady_clock;

namespace {
constexpr const char* block_ms = "1000";
}

Nudges::Nudges(redis::Address address, const Clock& clock)
    : link_(std::move(address), {}, clock), wake_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_event_ < 0) throw std::runtime_error("eventfd failed");
}

Nudges::~Nudges() { ::close(wake_event_); }

void Nudges::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_event_, &one, sizeof one);
}

Result<Nudges::Reason> Nudges::wait(const std::string& seen, steady_clock::time_point deadline) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  if (waiting_ != *connection) {
    const auto sent =
        (*connection)->send({"XREAD", "COUNT", "1", "BLOCK", block_ms, "STREAMS", redis_layout::nudge, seen});
    if (!sent) return sent.error();
    waiting_ = *connection;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
  const auto reply = waiting_->receive(std::max(left, std::chrono::milliseconds(0)), wake_event_);
  if (!reply) {
    waiting_ = nullptr;
    link_.drop();
    return reply.error();
  }
  std::uint64_t count = 0;
  if (reply->has_value()) {
    waiting_ = nullptr;
    return Reason::nudged;
  }
  return ::read(wake_event_, &count, sizeof count) == sizeof count ? Reason::woken : Reason::timeout;
}

}  // namespace latchkey::feed
