#include "feed/memory/memory_feed.hpp"

namespace latchkey::feed {
namespace {

constexpr std::size_t max_batch = 1000;

LogState sight_of(const store::MemoryStore::State& state, const std::optional<LogEnd>& known) {
  LogState sight{state.end(), std::nullopt};
  if (known && known->position.seq > Seq{} && known->position.seq <= state.end().position.seq) {
    sight.nonce_at_known = state.log[known->position.seq.value - 1].nonce;
  }
  return sight;
}

Result<Batch, FeedError> read(const store::MemoryStore::State& state, Position after, BootTime now,
                              std::optional<LogEnd>& known) {
  const LogState sight = sight_of(state, known);
  if (auto broken = discontinuity_of(sight, after, known)) return std::move(*broken);
  known = sight.end;
  Batch batch{{}, after, now};
  for (std::size_t i = after.seq.value; i < state.log.size() && batch.changes.size() < max_batch; ++i) {
    if (state.log[i].seq != ++batch.head.seq) return FeedError{FeedError::Kind::reload, "a gap in the log"};
    batch.changes.push_back(state.log[i]);
  }
  batch.more = batch.head.seq < state.end().position.seq;
  batch.head_nonce = batch.head.seq == Seq{} ? Nonce{} : state.log[batch.head.seq.value - 1].nonce;
  return batch;
}

}  // namespace

Result<Position, FeedError> MemoryFeed::load(SnapshotSink& sink) {
  if (cut_) return FeedError{FeedError::Kind::unavailable, "cut"};
  const auto state = store_.backup();
  for (const auto& [id, key] : state.keys) sink.access_key(key);
  for (const auto& [name, plan] : state.plans) sink.plan(plan);
  for (const auto& [user_id, user] : state.users) sink.user(user);
  for (const auto& [kid, stored] : state.signing_keys) sink.signing_key(stored.key, stored.version);
  known_ = sight_of(state, std::nullopt).end;
  return known_->position;
}

Result<Batch, FeedError> MemoryFeed::next(Position after, std::chrono::milliseconds patience) {
  Result<Batch, FeedError> result = FeedError{FeedError::Kind::unavailable, "cut"};
  store_.watch(patience, [&](const store::MemoryStore::State& state) {
    if (cut_) {
      result = FeedError{FeedError::Kind::unavailable, "cut"};
      return true;
    }
    result = read(state, after, clock_.boot(), known_);
    return !result || !result->changes.empty() || woken_.exchange(false);
  });
  return result;
}

void MemoryFeed::wake() {
  woken_ = true;
  store_.nudge();
}

}  // namespace latchkey::feed
