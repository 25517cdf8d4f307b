#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "feed/change_feed.hpp"
#include "feed/log_end.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::feed::postgres {

/// What a server tells of its age that is not the one which takes the commands.
struct Beat {
  UnixMillis at;  // by the primary's clock, before the commit that carried it
  bool on_standby = false;
  bool on_copy = false;  // which no management service commits to: a restored dump, what was a subscriber
};

struct Read {
  Batch batch;  // current_as_of is the caller's to fill in
  Beat beat;
};

/// One connection to the server. One thread.
class LogReader {
 public:
  static Result<std::unique_ptr<LogReader>, FeedError> open(const store::postgres::Url& url);

  /// Every row, as of one moment, in chunks. Returns the log's end at that moment, which `known` becomes too. Any
  /// failure is `unavailable`; then this reader is of no more use.
  Result<Position, FeedError> load(SnapshotSink& sink, std::optional<LogEnd>& known);
  /// One statement; never waits for changes. `known`: the end as last seen, updated.
  Result<Read, FeedError> read(Position after, std::optional<LogEnd>& known);

  /// What keeps changes from being recorded, in words; empty: nothing.
  Result<std::string, FeedError> sleeping_triggers();

  /// Whether notifications came since asked last. Reads what the socket has, never waits.
  Result<bool, FeedError> take_notifications();
  int socket() const { return connection_->socket(); }

 private:
  explicit LogReader(std::unique_ptr<store::postgres::Connection> connection) : connection_(std::move(connection)) {}

  Result<void> listen_where_possible(bool on_standby);
  Result<Position> load_all(SnapshotSink& sink, std::optional<LogEnd>& known);
  Result<void> load_keys(SnapshotSink& sink);
  Result<void> load_signing_keys(SnapshotSink& sink);
  Result<void> load_terms(SnapshotSink& sink);
  Result<void> load_in_chunks(std::string_view select,
                              const std::function<Result<void>(const store::postgres::Row&)>& row);

  std::unique_ptr<store::postgres::Connection> connection_;
  bool listening_ = false;
};

}  // namespace latchkey::feed::postgres
