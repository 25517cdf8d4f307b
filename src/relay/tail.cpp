#include "relay/tail.hpp"

#include "base/log.hpp"

namespace latchkey::relay {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds no_life_pause{20};

}  // namespace

Tail::Tail(feed::ChangeFeed& source, Stream& stream, const Clock& clock, RelayStats& stats, TailConfig config)
    : source_(source), stream_(stream), clock_(clock), stats_(stats), config_(config), retries_("the copy", stats) {}

milliseconds Tail::step() {
  const milliseconds pause = following_ ? follow() : join();
  followed_.set(following_ ? std::optional(following_->at.position.epoch) : std::nullopt);
  return pause;
}

milliseconds Tail::join() {
  const auto life = stream_.look();
  if (!life) return retries_.pause_after(life.error());
  if (!*life) return no_life_pause;
  if (!(*life)->log_whole) return end_life((*life)->id, "its log was damaged");
  // The store must have the very change that ends the stream; if not, next() says reload, and the histories differ.
  source_.resume((*life)->end);
  const auto batch = source_.next((*life)->end.position, milliseconds::zero());
  if (!batch) {
    return batch.error().kind == feed::FeedError::Kind::reload ? stand_by(**life, batch.error().why)
                                                               : retries_.pause_after(batch.error());
  }
  foreign_.reset();
  following_ = Following{(*life)->id, (*life)->end};
  next_beat_ = clock_.boot();
  log_info("relay: following {} from {}", (*life)->id, (*life)->end.position.to_string());
  return append(*batch, std::nullopt);
}

milliseconds Tail::stand_by(const Life& life, const std::string& why) {
  const BootTime now = clock_.boot();
  if (!foreign_ || foreign_->life != life.id) {
    log_warning(
        "relay: the stream has another history than our store ({}). Does the relay of another store write to this "
        "Redis? Give each store a Redis, or a database, of its own",
        why);
    foreign_ = OtherHistory{life.id, life.tick, now};
  }
  // The tick has moved: a relay still follows this life, so it is not abandoned, and the wait begins anew.
  if (foreign_->tick != life.tick) foreign_ = OtherHistory{life.id, life.tick, now};
  if (now - foreign_->since >= config_.abandoned_after) return end_life(life.id, "no relay follows it");
  return config_.beat_interval;
}

milliseconds Tail::follow() {
  std::optional<Tick> beat;
  const BootTime now = clock_.boot();
  milliseconds patience = std::chrono::ceil<milliseconds>(next_beat_ - now);
  if (patience <= milliseconds::zero()) {
    // A heartbeat is due. The tick is raised before the read: only then does the read prove anything of that tick.
    patience = milliseconds::zero();
    next_beat_ = now + config_.beat_interval;
    const auto tick = stream_.tick(following_->life, following_->at.position.epoch);
    if (!tick) return retries_.pause_after(tick.error());
    if (!*tick) return leave("the life is over, or not of our epoch any more");
    beat = **tick;
  }
  const BootTime before_read = clock_.boot();
  const auto batch = source_.next(following_->at.position, patience);
  if (!batch) {
    if (batch.error().kind != feed::FeedError::Kind::reload) return retries_.pause_after(batch.error());
    return end_life(following_->life, batch.error().why);
  }
  // The read must have begun after the tick, and have found the end.
  if (batch->more || batch->current_as_of < before_read) beat.reset();
  if (beat && batch->head.seq < beat->end) return leave("the stream has more than our store");
  if (!beat && batch->changes.empty()) return milliseconds::zero();
  return append(*batch, beat);
}

milliseconds Tail::append(const feed::Batch& batch, std::optional<Tick> beat) {
  const auto outcome = stream_.append(following_->life, following_->at, batch.changes, beat);
  if (!outcome) return retries_.pause_after(outcome.error());
  retries_.over();
  stats_.appended += outcome->written;
  stats_.duplicates += outcome->duplicates;
  switch (outcome->what) {
    case Appended::done:
      if (beat) ++stats_.beats;
      following_->at = {batch.head, batch.head_nonce};
      return milliseconds::zero();
    case Appended::other_life:
      ++stats_.refused;
      return leave("another relay began another life");
    case Appended::forked:
      ++stats_.refused;
      return leave("another relay writes another history");
    case Appended::behind:  // what the stream acknowledged once is gone: join() looks at what it is now
      return leave("the stream lost its end");
    case Appended::damaged:
      return end_life(following_->life, "its log was damaged");
  }
  return milliseconds::zero();
}

milliseconds Tail::end_life(const std::string& life, const std::string& why) {
  const auto done = stream_.end(life);
  if (done) {
    ++stats_.ended;
    log_warning("relay: {} ended: {}", life, why);
  }
  following_.reset();  // of which `life` may be a part
  foreign_.reset();
  return done ? milliseconds::zero() : retries_.pause_after(done.error());
}

milliseconds Tail::leave(const std::string& why) {
  log_warning("relay: left {}: {}", following_->life, why);
  following_.reset();
  return milliseconds::zero();
}

}  // namespace latchkey::relay
