#pragma once

// Copies the store's log to the stream, change by change, and says how current the copy is.
//
//   join ──> follow: wait for changes, append them; every `beat_interval`: tick, read, append with heartbeat
//    ^          │ the life is over, the log lost its end, or it has another history: join again
//    └──────────┘ the source's own history broke under us: end the life, join again
//
// A relay ends a life when it sees its own history break, or finds the life damaged. A relay that merely has another
// history (a standby that lags, an old primary) waits while anybody keeps the life ticking; only when that has stopped
// for `abandoned_after` does it end it. A relay also leaves when its store's log is shorter than the stream was before
// the read: the store was put back under another relay, which has died since, or the source lags. Its heartbeat
// would vouch for changes that the store has not got.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "feed/change_feed.hpp"
#include "relay/followed_epoch.hpp"
#include "relay/logged_retries.hpp"
#include "relay/relay_stats.hpp"
#include "relay/stream.hpp"

namespace latchkey::relay {

struct TailConfig {
  std::chrono::milliseconds beat_interval{250};
  std::chrono::milliseconds abandoned_after{2000};
};

/// step() by one thread. All references outlive it.
class Tail {
 public:
  Tail(feed::ChangeFeed& source, Stream& stream, const Clock& clock, RelayStats& stats, TailConfig config = {});

  /// One look, or one read of the source (waiting up to the next heartbeat) and what follows from it. Returns the pause
  /// that should follow, 0 for none.
  std::chrono::milliseconds step();

  bool following() const { return following_.has_value(); }
  /// The same, for any thread.
  const FollowedEpoch& followed() const { return followed_; }

 private:
  struct Following {
    std::string life;
    LogEnd at;  // of our source; other relays may have written more
  };
  /// A life with another history than our source's, and since when its tick stands still.
  struct OtherHistory {
    std::string life;
    std::uint64_t tick = 0;
    BootTime since;
  };

  std::chrono::milliseconds join();
  std::chrono::milliseconds stand_by(const Life& life, const std::string& why);
  std::chrono::milliseconds follow();
  std::chrono::milliseconds append(const feed::Batch& batch, std::optional<Tick> beat);
  std::chrono::milliseconds end_life(const std::string& life, const std::string& why);
  std::chrono::milliseconds leave(const std::string& why);

  feed::ChangeFeed& source_;
  Stream& stream_;
  const Clock& clock_;
  RelayStats& stats_;
  const TailConfig config_;

  std::optional<Following> following_;
  FollowedEpoch followed_;
  std::optional<OtherHistory> foreign_;
  BootTime next_beat_{};
  LoggedRetries retries_;
};

}  // namespace latchkey::relay
