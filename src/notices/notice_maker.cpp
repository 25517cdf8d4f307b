#include "notices/notice_maker.hpp"

#include <algorithm>
#include <array>

namespace latchkey::notices {
namespace {

constexpr std::int64_t day = 24LL * 60 * 60 * 1000;

struct Line {
  std::string_view kind;
  std::int64_t before;  // the expiry
};
constexpr std::array lines{Line{"key.expires-in-30-days", 30 * day}, Line{"key.expires-in-7-days", 7 * day},
                           Line{"key.expires-in-1-day", day}, Line{"key.expired", 0}};

/// The marks belong to no single service: each that comes takes them.
store::MarkLease mark(std::string_view name, std::int64_t otherwise) {
  return {std::string(name), "", {}, {}, otherwise};
}

constexpr std::string_view seq_mark = "made-of-changes", clock_mark = "made-of-clock";

}  // namespace

std::optional<Notice> notice_of(const Change& change) {
  Notice notice;
  notice.at = change.at;
  notice.about = static_cast<std::int64_t>(change.seq.value);
  if (const auto* key = std::get_if<AccessKey>(&change.row)) {
    if (change.action != "disable" && change.action != "rotate") return std::nullopt;
    notice.kind = change.action == "disable" ? "key.disabled" : "key.rotated";
    notice.key_id = key->id;
    notice.user_id = key->user_id;
    return notice;
  }
  const auto* user = std::get_if<User>(&change.row);
  if (user == nullptr || change.action != "user-disable") return std::nullopt;
  notice.kind = "user.disabled";
  notice.user_id = user->user_id;
  return notice;
}

std::vector<Notice> due_between(UnixMillis after, UnixMillis until, std::span<const ExpiringKey> keys) {
  std::vector<Notice> notices;
  for (const ExpiringKey& key : keys) {
    for (const Line& line : lines) {
      const UnixMillis at{key.expires_at.count - line.before};
      if (at <= after || at > until) continue;
      notices.push_back({0, std::string(line.kind), at, key.id, key.user_id, key.expires_at.count});
    }
  }
  std::stable_sort(notices.begin(), notices.end(), [](const Notice& a, const Notice& b) { return a.at < b.at; });
  return notices;
}

Result<NoticeMaker::Marks> NoticeMaker::read_marks() {
  const auto position = store_.position();
  if (!position) return position.error();
  Marks marks;
  const auto read = store_.transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
    const auto seq = transaction.lease_mark(mark(seq_mark, static_cast<std::int64_t>(position->seq.value)));
    if (!seq) return seq.error();
    const auto clock = transaction.lease_mark(mark(clock_mark, clock_.wall().count));
    if (!clock) return clock.error();
    marks = {static_cast<std::uint64_t>(seq->value_or(0)), {clock->value_or(0)}};
    return {};
  });
  if (!read) return read.error();
  return marks;
}

// The clock's lines are looked for within the transaction, so that what a command changed before it is seen.
Result<std::uint64_t> NoticeMaker::store_notices(std::span<const Notice> of_changes, Marks next) {
  const UnixMillis after = known_->clock;
  std::uint64_t made = 0;
  const auto stored = store_.transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
    std::vector<Notice> notices(of_changes.begin(), of_changes.end());
    for (const Line& line : lines) {
      if (next.clock <= after) break;
      const auto keys = transaction.keys_expiring({after.count + line.before}, {next.clock.count + line.before});
      if (!keys) return keys.error();
      for (auto& notice : due_between(after, next.clock, *keys)) {
        if (notice.kind == line.kind) notices.push_back(std::move(notice));
      }
    }
    made = 0;
    if (!notices.empty()) {
      const auto added = transaction.add_notices(notices);
      if (!added) return added.error();
      made = *added;
    }
    if (auto set = transaction.set_mark(seq_mark, static_cast<std::int64_t>(next.seq)); !set) return set;
    return transaction.set_mark(clock_mark, next.clock.count);
  });
  if (!stored) return stored.error();
  return made;
}

Result<std::uint64_t> NoticeMaker::look() {
  if (!known_) {
    const auto marks = read_marks();
    if (!marks) return marks.error();
    known_ = *marks;
  }
  const auto end = store_.position();
  if (!end) return end.error();
  if (end->seq.value < known_->seq) known_->seq = end->seq.value;  // a backup was put back
  const auto changes = store_.changes_after(Seq{known_->seq}, changes_a_look);
  if (!changes) return changes.error();
  Marks next = *known_;
  std::vector<Notice> notices;
  for (const Change& change : *changes) {
    next.seq = change.seq.value;
    if (auto notice = notice_of(change)) notices.push_back(std::move(*notice));
  }
  const UnixMillis now = clock_.wall();
  const bool due = now.count - known_->clock.count >= millis_between_clocks;
  if (due) next.clock = now;
  if (notices.empty() && !due) {
    known_ = next;  // is stored with the next that is
    return std::uint64_t{0};
  }
  const auto made = store_notices(notices, next);
  if (made) known_ = next;
  return made;
}

}  // namespace latchkey::notices
