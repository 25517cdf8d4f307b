#include "feed/redis/redis_feed.hpp"

#include "feed/redis/redis_access.hpp"

namespace latchkey::feed {

using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds patience_with_relays{10};

}  // namespace

RedisFeed::RedisFeed(const redis::Address& address, const Clock& clock, redis::Timeouts timeouts)
    : RedisFeed(std::make_unique<RedisAccess>(address, clock, timeouts), clock) {}

RedisFeed::RedisFeed(std::unique_ptr<StreamAccess> stream, const Clock& clock)
    : stream_(std::move(stream)), clock_(clock) {}

void RedisFeed::resume(const LogEnd& known) {
  known_ = known;
  loaded_.clear();
  proofs_.reset();
  standing_.reset();
}

Result<Batch, FeedError> RedisFeed::read(Position after) {
  auto sight = stream_->read(after.seq, known_ ? known_->position.seq : Seq{});
  if (!sight) return sight.error();
  if (auto broken = discontinuity_of(sight->log, after, known_)) return std::move(*broken);
  if (after.seq < sight->base) return FeedError{FeedError::Kind::reload, "the stream begins after our position"};
  if (after.seq < sight->log.end.position.seq && sight->changes.empty()) {
    return FeedError{FeedError::Kind::reload, "the stream has lost its end"};
  }
  known_ = sight->log.end;
  nudge_ = sight->nudge;
  proofs_.saw_tick(sight->life, sight->connection, sight->tick, sight->stamp);

  Batch batch{std::move(sight->changes), after, {}};
  batch.head.seq = after.seq + batch.changes.size();
  batch.head_nonce = batch.changes.empty() ? known_->nonce : batch.changes.back().nonce;
  if (sight->beat_tick > 0 && sight->beat_seq <= batch.head.seq) proofs_.holds_beat(sight->beat_tick);
  const auto proved = proofs_.current_as_of();
  batch.more = batch.head.seq < known_->position.seq || !proved;
  if (proved) batch.current_as_of = *proved;
  return batch;
}

Result<Position, FeedError> RedisFeed::load(SnapshotSink& sink) {
  // The state before is void, and with it what was known of its age: a proof must be of a read after this moment, or a
  // Redis that came back with an older state could pass it off as fresh.
  known_.reset();
  proofs_.reset();
  standing_.reset();
  const auto snapshot = stream_->snapshot();
  if (!snapshot) return snapshot.error();
  if (snapshot->life == distrusted_ && clock_.boot() < wait_until_) {
    return FeedError{FeedError::Kind::unavailable, "waiting for a relay to begin the stream anew"};
  }
  loaded_ = snapshot->life;
  if (auto loaded = stream_->load(*snapshot, sink); !loaded) return loaded.error();
  known_ = snapshot->end;
  auto position = follow_log(snapshot->end.position, sink);
  if (position) return position;
  known_.reset();
  return FeedError{FeedError::Kind::unavailable, position.error().why};
}

// Rows from elsewhere, the reader's own file, say nothing against this life: its own are read first.
void RedisFeed::distrust() {
  if (loaded_.empty()) return;
  distrusted_ = loaded_;
  wait_until_ = clock_.boot() + patience_with_relays;
  stream_->distrust(loaded_);
}

Result<Position, FeedError> RedisFeed::follow_log(Position from, SnapshotSink& sink) {
  for (;;) {
    const auto batch = read(from);
    if (!batch) return batch.error();
    for (const Change& change : batch->changes) {
      if (const auto* plan = std::get_if<Plan>(&change.row)) {
        sink.plan(*plan);
      } else if (const auto* user = std::get_if<User>(&change.row)) {
        sink.user(*user);
      } else if (const auto* key = std::get_if<AccessKey>(&change.row)) {
        sink.access_key(*key);
      } else {
        sink.signing_key(std::get<SigningKey>(change.row), Version::made_by(change.seq));
      }
    }
    from = batch->head;
    if (from.seq >= known_->position.seq) return from;
  }
}

Result<Batch, FeedError> RedisFeed::next(Position after, milliseconds patience) {
  const BootTime deadline = clock_.boot() + patience;
  // While the nudge that would outdate it has not come, the last empty batch still says all there is to say.
  bool current = standing_ && standing_->head == after && patience > milliseconds::zero();
  for (;;) {
    if (!current) {
      standing_.reset();
      auto batch = read(after);
      if (!batch || !batch->changes.empty() || patience <= milliseconds::zero()) return batch;
      standing_ = std::move(*batch);
    }
    const auto reason = stream_->wait(nudge_, std::chrono::ceil<milliseconds>(deadline - clock_.boot()));
    if (!reason) {
      standing_.reset();
      return FeedError{FeedError::Kind::unavailable, reason.error().internal};
    }
    if (*reason != Nudge::nudged) return *standing_;
    current = false;
    if (clock_.boot() >= deadline) return read(after);
  }
}

}  // namespace latchkey::feed
