#include "feed/postgres/log_reader.hpp"

#include <fmt/format.h>

#include "store/postgres/life.hpp"
#include "store/postgres/rows.hpp"
#include "store/postgres/schema.hpp"

namespace latchkey::feed::postgres {
namespace {

namespace pg = store::postgres;

constexpr int max_changes = 1000;
constexpr int snapshot_chunk = 2000;

FeedError reload(std::string why) { return {FeedError::Kind::reload, std::move(why)}; }

/// One statement, so that all of it is seen at one moment.
const std::string& read_sql() {
  static const std::string sql = fmt::format(
      "SELECT {}, (SELECT nonce FROM changes WHERE seq = $1), pg_is_in_recovery(), h.at, c.* FROM {}"
      " CROSS JOIN heartbeat h LEFT JOIN (SELECT {} FROM changes WHERE seq > $2 ORDER BY seq LIMIT {}) c ON true"
      " ORDER BY c.seq",
      pg::life_columns, pg::life_source, pg::change_columns, max_changes);
  return sql;
}
constexpr int nonce_at_known_column = pg::life_column_count;
constexpr int standby_column = nonce_at_known_column + 1;
constexpr int beat_column = nonce_at_known_column + 2;
constexpr int change_column = nonce_at_known_column + 3;

// Each row repeats the log's end in its first columns; the LEFT JOIN gives one row with null changes where there are
// none.
Result<void, FeedError> read_changes(const pg::Rows& rows, Batch& batch, const LogEnd& end) {
  for (int i = 0; i < rows.count(); ++i) {
    if (rows[i].is_null(change_column + pg::change_seq_column)) break;
    auto change = pg::read_change(rows[i], change_column);
    if (!change) return FeedError::of(change.error());
    if (change->seq != ++batch.head.seq) {
      return reload(fmt::format("a gap in the log: {} came where {} was due", change->seq.value, batch.head.seq.value));
    }
    batch.changes.push_back(std::move(*change));
  }
  batch.more = batch.head.seq < end.position.seq;
  batch.head_nonce = batch.changes.empty() ? end.nonce : batch.changes.back().nonce;
  if (batch.more && batch.changes.size() < max_changes) return reload("a gap at the end of the log");
  return {};
}

}  // namespace

Result<std::unique_ptr<LogReader>, FeedError> LogReader::open(const pg::Url& url) {
  auto connection = pg::Connection::open(url, pg::Server::any);
  if (!connection) return FeedError::of(connection.error());
  return std::unique_ptr<LogReader>(new LogReader(std::move(*connection)));
}

// A standby has no LISTEN; one that is promoted keeps its connections, and from then on has.
Result<void> LogReader::listen_where_possible(bool on_standby) {
  if (listening_ || on_standby) return {};
  if (auto listens = connection_->execute("LISTEN latchkey_changes"); !listens) return listens;
  listening_ = true;
  return {};
}

Result<Read, FeedError> LogReader::read(Position after, std::optional<LogEnd>& known) {
  const auto rows =
      connection_->query(read_sql(), pg::Parameters()
                                         .add(static_cast<std::int64_t>(known ? known->position.seq.value : 0))
                                         .add(static_cast<std::int64_t>(after.seq.value)));
  if (!rows) return FeedError::of(rows.error());
  if (rows->count() == 0) return FeedError{FeedError::Kind::unavailable, "log_lock, meta or heartbeat has no row"};
  const pg::Row first = (*rows)[0];
  LogState sight{pg::read_log_end(first, connection_->system()), std::nullopt};
  if (!first.is_null(nonce_at_known_column)) {
    sight.nonce_at_known = Nonce{static_cast<std::uint64_t>(first.integer(nonce_at_known_column))};
  }
  if (auto broken = discontinuity_of(sight, after, known)) return std::move(*broken);
  if (auto readable = pg::check_readable(first); !readable) return FeedError::of(readable.error());
  known = sight.end;
  Read read{{{}, after, {}},
            {{first.integer(beat_column)}, first.boolean(standby_column), !pg::is_home(first, connection_->system())}};
  if (auto changes = read_changes(*rows, read.batch, sight.end); !changes) return changes.error();
  // After the read, of a connection that did not listen yet: the poll finds what comes in between.
  if (auto listens = listen_where_possible(read.beat.on_standby); !listens) return FeedError::of(listens.error());
  return read;
}

Result<Position, FeedError> LogReader::load(SnapshotSink& sink, std::optional<LogEnd>& known) {
  auto position = load_all(sink, known);
  if (!position) return FeedError::of(position.error());
  return *position;
}

Result<Position> LogReader::load_all(SnapshotSink& sink, std::optional<LogEnd>& known) {
  if (auto begun = connection_->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); !begun)
    return begun.error();
  const auto end = pg::readable_log_end(*connection_);
  if (!end) return end.error();
  if (auto loaded = load_keys(sink); !loaded) return loaded.error();
  if (auto loaded = load_terms(sink); !loaded) return loaded.error();
  if (auto loaded = load_signing_keys(sink); !loaded) return loaded.error();
  if (auto ended = connection_->execute("COMMIT"); !ended) return ended.error();
  known = *end;
  return end->position;
}

// Of one snapshot: memory is bounded by the chunk, and nothing that is written meanwhile has to wait.
Result<void> LogReader::load_in_chunks(std::string_view select,
                                       const std::function<Result<void>(const pg::Row&)>& row) {
  static const std::string fetch = fmt::format("FETCH {} FROM snapshot", snapshot_chunk);
  const std::string declare = fmt::format("DECLARE snapshot NO SCROLL CURSOR FOR {}", select);
  if (auto declared = connection_->execute(declare); !declared) return declared;
  for (;;) {
    const auto rows = connection_->query(fetch);
    if (!rows) return rows.error();
    for (int i = 0; i < rows->count(); ++i) {
      if (auto taken = row((*rows)[i]); !taken) return taken;
    }
    if (rows->count() < snapshot_chunk) return connection_->execute("CLOSE snapshot");
  }
}

Result<void> LogReader::load_keys(SnapshotSink& sink) {
  return load_in_chunks(fmt::format("SELECT {} FROM access_keys", pg::key_columns),
                        [&](const pg::Row& row) -> Result<void> {
                          const auto key = pg::read_access_key(row);
                          if (!key) return key.error();
                          sink.access_key(*key);
                          return {};
                        });
}

Result<void> LogReader::load_terms(SnapshotSink& sink) {
  auto loaded = load_in_chunks(fmt::format("SELECT {} FROM plans", store::plan_columns), [&](const pg::Row& row) {
    sink.plan(store::read_plan(row, store::plan_columns_at));
    return Result<void>();
  });
  if (!loaded) return loaded;
  return load_in_chunks(fmt::format("SELECT {} FROM users", store::user_columns), [&](const pg::Row& row) {
    sink.user(store::read_user(row, store::user_columns_at));
    return Result<void>();
  });
}

Result<void> LogReader::load_signing_keys(SnapshotSink& sink) {
  const auto rows = connection_->query(fmt::format("SELECT {} FROM signing_keys", pg::signing_key_columns));
  if (!rows) return rows.error();
  for (int i = 0; i < rows->count(); ++i) {
    const pg::Row row = (*rows)[i];
    const auto key = pg::read_signing_key(row);
    if (!key) return key.error();
    sink.signing_key(*key, Version{static_cast<std::uint64_t>(row.integer(pg::signing_key_version_column))});
  }
  return {};
}

Result<std::string, FeedError> LogReader::sleeping_triggers() {
  const auto names = pg::sleeping_triggers(*connection_);
  if (!names) return FeedError::of(names.error());
  return names->empty() ? std::string() : "triggers of the database are disabled: " + *names;
}

Result<bool, FeedError> LogReader::take_notifications() {
  const auto any = connection_->take_notifications();
  if (!any) return FeedError::of(any.error());
  return *any;
}

}  // namespace latchkey::feed::postgres
