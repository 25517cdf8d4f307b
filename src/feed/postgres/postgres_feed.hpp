#pragma once

// Follows the change log in PostgreSQL, on the primary or on a standby.
//
//   wait:  for a notification (LISTEN), with a poll behind; a standby has no LISTEN and is polled
//   read:  one statement: the epoch, the log's end, the nonce at the end seen before, at most 1,000 changes
//
// On a primary a read proves the view current as of its start; on a standby, and on a database that no management
// service commits to, see feed/postgres/standby_age.hpp. A primary that was cut off and replaced by another does not
// know so: fence it, as any failover must. The role needs SELECT on the tables alone.

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/wake_event.hpp"
#include "feed/change_feed.hpp"
#include "feed/log_end.hpp"
#include "feed/postgres/standby_age.hpp"
#include "store/postgres/url.hpp"

namespace latchkey::feed {

namespace postgres {
class LogReader;
}

class PostgresFeed final : public ChangeFeed {
 public:
  /// The server need not be there yet: until it is, everything is `unavailable`. `clock` outlives the feed.
  PostgresFeed(store::postgres::Url url, Clock& clock);
  ~PostgresFeed() override;

  Result<Position, FeedError> load(SnapshotSink& sink) override;
  void resume(const LogEnd& known) override { known_ = known; }
  Result<Batch, FeedError> next(Position after, std::chrono::milliseconds patience) override;
  void wake() override { wake_event_.wake(); }

 private:
  enum class Woken { commit, poll, called, deadline };

  Result<void, FeedError> open();
  Result<Batch, FeedError> read(Position after);
  Result<Woken, FeedError> wait(std::chrono::steady_clock::time_point deadline);

  const store::postgres::Url url_;
  Clock& clock_;
  WakeEvent wake_event_;
  std::unique_ptr<postgres::LogReader> reader_;  // none while there is no connection
  std::optional<LogEnd> known_;                  // outlives a reader: what was seen must still hold on the next
  postgres::StandbyAge age_;
  bool on_standby_ = false;
  bool on_copy_ = false;
};

/// ErrorCode::invalid for a URL that cannot be read.
Result<std::unique_ptr<ChangeFeed>> open_postgres_feed(std::string_view url, Clock& clock);

}  // namespace latchkey::feed
