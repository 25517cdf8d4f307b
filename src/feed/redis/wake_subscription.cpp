#include "feed/redis/wake_subscription.hpp"

#include "feed/redis/layout.hpp"
#include "redis/remedy.hpp"

namespace latchkey::feed {

namespace {

constexpr const char* block_ms = "1000";
constexpr auto answered_within = std::chrono::seconds(2);

}  // namespace

WakeSubscription::WakeSubscription(redis::Address address, const Clock& clock)
    : link_(std::move(address), {}, clock), clock_(clock) {}

Result<void> WakeSubscription::stand_by(const std::string& seen) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  // The link may have opened another by itself, at the same place in memory.
  if (waiting_ == *connection && waiting_generation_ == link_.generation()) return {};
  const auto sent =
      (*connection)->send({"XREAD", "COUNT", "1", "BLOCK", block_ms, "STREAMS", redis_layout::nudge, seen});
  if (!sent) return sent.error();
  waiting_ = *connection;
  waiting_generation_ = link_.generation();
  answer_due_ = clock_.boot() + answered_within;
  return {};
}

Error WakeSubscription::give_up(Error why) {
  waiting_ = nullptr;
  link_.drop();
  return why;
}

Result<Nudge> WakeSubscription::wait(const std::string& seen, std::chrono::milliseconds patience) {
  if (const auto standing = stand_by(seen); !standing) return standing.error();
  const auto reply = waiting_->receive(std::max(patience, std::chrono::milliseconds(0)), wake_event_.descriptor());
  if (!reply) return give_up(redis::with_remedy(reply.error(), redis_layout::remedy));
  if (reply->has_value()) {
    waiting_ = nullptr;
    return Nudge::nudged;
  }
  if (wake_event_.take()) return Nudge::woken;
  if (clock_.boot() < answer_due_) return Nudge::timeout;
  return give_up(Error(ErrorCode::unavailable, "the stream cannot be reached", "redis: a nudge is overdue"));
}

}  // namespace latchkey::feed
