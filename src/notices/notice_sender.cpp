#include "notices/notice_sender.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace latchkey::notices {

NoticeSender::NoticeSender(store::KeyStore& store, const Clock& clock, std::string name, std::string owner,
                           Deliver deliver)
    : store_(store), clock_(clock), name_(std::move(name)), owner_(std::move(owner)), deliver_(std::move(deliver)) {}

bool NoticeSender::take_lease() {
  const UnixMillis now = clock_.wall();
  std::optional<std::int64_t> value;
  const auto leased = store_.transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
    const auto last = transaction.last_notice();
    if (!last) return last.error();
    const auto mark = transaction.lease_mark(
        {"sent-to " + name_, owner_, now, {now.count + lease_ms}, static_cast<std::int64_t>(*last)});
    if (!mark) return mark.error();
    value = *mark;
    return {};
  });
  if (!leased || !value) return false;
  mark_ = static_cast<std::uint64_t>(*value);
  return true;
}

std::chrono::milliseconds NoticeSender::step() {
  if (!mark_ && !take_lease()) return idle_pause;
  auto waiting = store_.notices_after(*mark_, 1);
  if (!waiting || waiting->empty()) return idle_pause;
  if (!take_lease()) return idle_pause;
  const auto notices = store_.notices_after(*mark_, notices_a_step);
  if (!notices || notices->empty()) return idle_pause;
  return send(*notices);
}

// The mark moves once for all that were taken: after a kill some of them are sent again.
std::chrono::milliseconds NoticeSender::send(const std::vector<Notice>& notices) {
  const std::uint64_t before = *mark_;
  Result<void> outcome;
  for (const Notice& notice : notices) {
    outcome = deliver_(notice);
    if (!outcome) break;
    mark_ = notice.id;
  }
  if (*mark_ != before) {
    const auto moved = store_.transact_and_wait([&](store::Transaction& transaction) {
      return transaction.set_mark("sent-to " + name_, static_cast<std::int64_t>(*mark_));
    });
    if (!moved) mark_ = before;
    if (outcome && !moved) outcome = moved.error();
  }
  if (!outcome) return failed(outcome.error());
  if (backoff_.in_a_row() > 0) log_info("notices: {} takes them again", name_);
  backoff_.succeeded();
  return notices.size() == notices_a_step ? std::chrono::milliseconds(0) : idle_pause;
}

std::chrono::milliseconds NoticeSender::failed(const Error& why) {
  if (backoff_.in_a_row() == 0) log_warning("notices: {} did not take one, and is asked again: {}", name_, why.detail);
  return backoff_.failed();
}

}  // namespace latchkey::notices
