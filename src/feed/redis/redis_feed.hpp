#pragma once

// Reads the stream that `latchkey relay` keeps in Redis (feed/redis/layout.hpp says how, and proves how current a
// reader is). Needs Redis only.
//
//   load:  the snapshot, then the log behind it up to its end
//   next:  one script: the head, the nonce at the end seen before, at most 1,000 changes; then wait for a nudge
//
// With no stream, no relay or no Redis everything is `unavailable`, or batches with a proof that does not move: the
// view ages.

#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "feed/change_feed.hpp"
#include "feed/redis/freshness_proof.hpp"
#include "feed/redis/stream_access.hpp"
#include "redis/connection.hpp"

namespace latchkey::feed {

class RedisFeed final : public ChangeFeed {
 public:
  /// Connects when first used. `clock` outlives the feed.
  RedisFeed(const redis::Address& address, const Clock& clock, redis::Timeouts timeouts = {});
  /// Through another way to the stream.
  RedisFeed(std::unique_ptr<StreamAccess> stream, const Clock& clock);

  Result<Position, FeedError> load(SnapshotSink& sink) override;
  void resume(const LogEnd& known) override;
  /// `more` also while nothing proves yet that there is no more. With `patience` an empty batch may be the last one
  /// again, when nothing was written since.
  Result<Batch, FeedError> next(Position after, std::chrono::milliseconds patience) override;
  void distrust() override;
  void wake() override { stream_->wake(); }

 private:
  Result<Batch, FeedError> read(Position after);
  Result<Position, FeedError> follow_log(Position from, SnapshotSink& sink);

  const std::unique_ptr<StreamAccess> stream_;
  const Clock& clock_;
  FreshnessProof proofs_;
  std::optional<LogEnd> known_;    // the newest end seen: it must still be there
  std::optional<Batch> standing_;  // the last batch, empty, while a nudge is awaited that would say it is outdated
  std::string loaded_;             // the life that load() read the rows of; empty: they are from elsewhere
  std::string distrusted_;         // the life that is not loaded again before `wait_until_`
  BootTime wait_until_{};          // by then a relay has begun another, or there is none
  std::string nudge_ = "0-0";      // the newest nudge when the stream was read last
};

}  // namespace latchkey::feed
