#include "replica/store_log.hpp"

namespace latchkey::replica {

StoreLog StoreLog::of(store::KeyStore& store) {
  return {[&store] { return store.position(); },
          [&store](Seq seq) -> Result<std::optional<Nonce>> {
            const auto changes = store.changes_after(seq - 1, 1);
            if (!changes) return changes.error();
            if (changes->empty() || changes->front().seq != seq) return std::optional<Nonce>();
            return std::optional(changes->front().nonce);
          }};
}

Result<std::optional<Nonce>> LogSnapshot::nonce_at(Position position) {
  if (!end_) end_ = log_.end();
  if (!*end_) return end_->error();
  const Position& end = **end_;
  if (end.epoch != position.epoch || end.seq < position.seq) return std::optional<Nonce>();
  if (position.seq == Seq{}) return std::optional(Nonce{});
  auto found = nonces_.find(position.seq);
  if (found == nonces_.end()) found = nonces_.emplace(position.seq, log_.nonce_at(position.seq)).first;
  return found->second;
}

Result<bool> LogSnapshot::find(LogEnd& change) {
  if (!end_) end_ = log_.end();
  if (!*end_) return end_->error();
  const Position here{(**end_).epoch, change.position.seq};
  auto found = has(here, change.nonce);
  if (found && *found) change.position = here;
  return found;
}

Result<bool> LogSnapshot::has(Position position, Nonce nonce) {
  const auto there = nonce_at(position);
  if (!there) return there.error();
  return *there == nonce;
}

}  // namespace latchkey::replica
