#include "replica/store_log.hpp"

namespace latchkey::replica {

StoreLog StoreLog::of(store::KeyStore& store) {
  return {[&store] { return store.position(); },
          [&store](Seq seq) -> Result<std::optional<LoggedChange>> {
            const auto changes = store.changes_after(seq - 1, 1);
            if (!changes) return changes.error();
            if (changes->empty() || changes->front().seq != seq) return std::optional<LoggedChange>();
            return std::optional(LoggedChange{changes->front().nonce, kind_of(changes->front())});
          }};
}

Result<std::optional<LoggedChange>> LogSnapshot::at(Position position) {
  if (!end_) end_ = log_.end();
  if (!*end_) return end_->error();
  const Position& end = **end_;
  if (end.epoch != position.epoch || end.seq < position.seq) return std::optional<LoggedChange>();
  if (position.seq == Seq{}) return std::optional(LoggedChange());
  auto found = changes_.find(position.seq);
  if (found == changes_.end()) found = changes_.emplace(position.seq, log_.at(position.seq)).first;
  return found->second;
}

// After a failover the epoch is another, and the change may be there all the same: its nonce tells. Then the commit
// is known by its position in this epoch.
Result<bool> LogSnapshot::find(Commit& commit) {
  if (!end_) end_ = log_.end();
  if (!*end_) return end_->error();
  const Position here{(**end_).epoch, commit.change.position.seq};
  const auto there = at(here);
  if (!there) return there.error();
  if (!*there || (*there)->nonce != commit.change.nonce) return false;
  commit.change.position = here;
  commit.kind = (*there)->kind;
  return true;
}

Result<bool> LogSnapshot::has(Position position, Nonce nonce) {
  const auto there = at(position);
  if (!there) return there.error();
  return *there && (*there)->nonce == nonce;
}

}  // namespace latchkey::replica
