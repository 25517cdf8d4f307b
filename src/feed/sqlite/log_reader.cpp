#include "feed/sqlite/log_reader.hpp"

#include <fmt/format.h>

#include "base/random.hpp"
#include "store/sqlite/foreign_wal.hpp"
#include "store/sqlite/moved.hpp"
#include "store/sqlite/rows.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/settle.hpp"

namespace latchkey::feed {
namespace {

constexpr int busy_timeout_ms = 100;  // only recovery after a crash makes a reader wait at all
constexpr std::int64_t max_rows = 1000;
constexpr int max_tries = 20;

FeedError reload(std::string why) { return {FeedError::Kind::reload, std::move(why)}; }

std::uint64_t as_unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

}  // namespace

Result<std::unique_ptr<LogReader>, FeedError> LogReader::open(const std::filesystem::path& path,
                                                              store::Witness& witness) {
  if (auto aside = store::set_foreign_wal_aside(path, witness); !aside) return FeedError::of(aside.error());
  const auto before = store::FileIdentity::of(path);
  if (!before) return FeedError{FeedError::Kind::not_made, "there is no file " + path.string()};
  auto database = store::Database::open(path, store::Access::read, busy_timeout_ms);
  if (!database) return FeedError::of(database.error());
  std::unique_ptr<LogReader> reader(new LogReader(path, std::move(*database), witness));
  // The first read makes SQLite open -wal and -shm.
  const auto version = reader->db_.query_integer("PRAGMA user_version");
  if (!version) return FeedError::of(version.error());
  if (auto readable = store::check_readable(reader->db_); !readable) return FeedError::of(readable.error());
  if (auto here = store::check_not_moved(reader->db_); !here) return FeedError::of(here.error());
  const auto files = store::OpenFiles::of(reader->db_);
  if (!files) return FeedError::of(files.error());
  reader->files_ = *files;
  const auto after = store::FileIdentity::of(path);
  if (!after || after->files[0] != before->files[0]) {
    return FeedError{FeedError::Kind::unavailable, "the file was replaced while it was opened"};
  }
  reader->identity_ = *after;
  return reader;
}

Result<void, FeedError> LogReader::check_identity() const {
  const auto now = store::FileIdentity::of(path_);
  if (!now) return FeedError{FeedError::Kind::unavailable, "there is no file " + path_.string()};
  if (*now != identity_) return reload("the database file was replaced");
  if (written_behind(known_files_, store::FileState::of(path_, files_, known_files_))) {
    return reload("the database file was written by another program");
  }
  return {};
}

Result<void, FeedError> LogReader::settle() {
  SystemRandom random;
  const auto settled = [&]() -> Result<void> {
    if (auto begun = db_.execute("PRAGMA query_only=OFF; PRAGMA synchronous=FULL; BEGIN IMMEDIATE"); !begun)
      return begun;
    const auto files = store::FileState::of(path_, files_, known_files_);
    const auto done = store::settle(db_, witness_, files, random, store::Settle::where_needed);
    auto ended = db_.execute(done ? "COMMIT" : "ROLLBACK");
    return done ? ended : done.error();
  }();
  static_cast<void>(db_.execute("PRAGMA query_only=ON"));
  return settled ? Result<void, FeedError>() : FeedError::of(settled.error());
}

// Opens a read transaction on a state that the witness knows. The testimony is read before the transaction begins:
// if the log moves in between, it is read again, at most max_tries times.
Result<void, FeedError> LogReader::begin() {
  for (int i = 0; i < max_tries; ++i) {
    const auto before = witness_.read();
    if (!before) return FeedError::of(before.error());
    known_files_ = before->shown.files;
    if (auto same = check_identity(); !same) return same;
    seen_ = read_wal_header(files_.index);
    if (auto begun = db_.execute("BEGIN"); !begun) return FeedError::of(begun.error());
    const auto standing = stand(db_, witness_, *before);
    const auto here = store::check_not_moved(db_);
    if (standing && here && *standing == store::Standing::shown) return {};
    static_cast<void>(db_.execute("COMMIT"));
    if (!here) return reload(FeedError::of(here.error()).why);
    if (!standing) return FeedError::of(standing.error());
    if (*standing == store::Standing::moved_on) continue;
    if (auto settled = settle(); !settled) return settled;
  }
  return FeedError{FeedError::Kind::unavailable, "the log changes all the time"};
}

Result<LogState, FeedError> LogReader::look(const std::optional<LogEnd>& known) {
  auto statement = db_.prepare(
      "SELECT (SELECT value FROM meta WHERE name = 'epoch'), seq, nonce,"
      " (SELECT nonce FROM changes WHERE seq = ?) FROM changes ORDER BY seq DESC LIMIT 1");
  if (!statement) return FeedError::of(statement.error());
  store::Statement& row = **statement;
  row.bind(1, static_cast<std::int64_t>(known ? known->position.seq.value : 0));
  const int code = row.step();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return unavailable(code);
  LogState sight;
  if (code == SQLITE_ROW) {
    const auto epoch = store::parse_epoch(row.text(0));
    if (!epoch) return FeedError::of(epoch.error());
    sight.end = {{*epoch, as_unsigned(row.integer(1))}, as_unsigned(row.integer(2))};
    if (!row.is_null(3)) sight.nonce_at_known = Nonce{as_unsigned(row.integer(3))};
    return sight;
  }
  auto meta = db_.prepare("SELECT value FROM meta WHERE name = 'epoch'");
  if (!meta) return FeedError::of(meta.error());
  if (const int found = (*meta)->step(); found != SQLITE_ROW) return unavailable(found);
  const auto epoch = store::parse_epoch((*meta)->text(0));
  if (!epoch) return FeedError::of(epoch.error());
  sight.end.position.epoch = *epoch;
  return sight;
}

template <class Read>
Result<void, FeedError> LogReader::in_transaction(Position after, std::optional<LogEnd>& known, Read read) {
  if (auto begun = begin(); !begun) return begun;
  auto outcome = [&]() -> Result<void, FeedError> {
    const auto sight = look(known);
    if (!sight) return sight.error();
    if (auto broken = discontinuity_of(*sight, after, known)) return std::move(*broken);
    if (auto readable = store::check_readable(db_); !readable) return FeedError::of(readable.error());
    known = sight->end;
    return read();
  }();
  // At once, whatever came of it: a transaction left open keeps the WAL growing.
  static_cast<void>(db_.execute("COMMIT"));
  return outcome;
}

Result<Batch, FeedError> LogReader::read(Position after, BootTime as_of, std::optional<LogEnd>& known) {
  Batch batch{{}, after, as_of};
  auto done = in_transaction(after, known, [&] { return read_changes(batch); });
  if (!done) return done.error();
  batch.more = batch.head.seq < known->position.seq;
  batch.head_nonce = batch.changes.empty() ? known->nonce : batch.changes.back().nonce;
  return batch;
}

Result<void, FeedError> LogReader::read_changes(Batch& batch) {
  static const std::string sql =
      fmt::format("SELECT {} FROM changes WHERE seq > ? ORDER BY seq LIMIT ?", store::change_columns);
  auto statement = db_.prepare(sql);
  if (!statement) return FeedError::of(statement.error());
  (*statement)->bind(1, static_cast<std::int64_t>(batch.head.seq.value)).bind(2, max_rows);
  int code = (*statement)->step();
  for (; code == SQLITE_ROW; code = (*statement)->step()) {
    auto change = store::read_change(**statement);
    if (!change) return FeedError::of(change.error());
    if (change->seq != ++batch.head.seq) {
      return reload(fmt::format("a gap in the log: {} came where {} was due", change->seq.value, batch.head.seq.value));
    }
    batch.changes.push_back(std::move(*change));
  }
  if (code != SQLITE_DONE) return unavailable(code);
  return {};
}

// The rows are read in chunks, each in a transaction of its own, so that the WAL can be checkpointed meanwhile. A
// row may be newer than `position`: applying the changes after `position` again does no harm, since a row of a
// version that is not newer changes nothing.
Result<Position, FeedError> LogReader::load(SnapshotSink& sink, std::optional<LogEnd>& known) {
  known.reset();
  const auto start = look(known);
  if (!start) return start.error();
  const Position position = start->end.position;
  known = start->end;
  std::string last;
  const auto load_all = [&]() -> Result<void, FeedError> {
    do {
      auto loaded = in_transaction(position, known, [&] { return load_chunk(sink, last); });
      if (!loaded) return loaded;
    } while (!last.empty());
    return in_transaction(position, known, [&]() -> Result<void, FeedError> {
      if (auto loaded = load_terms(sink); !loaded) return loaded;
      return load_signing_keys(sink);
    });
  };
  // What a snapshot began on may be gone by its end; then it is nothing yet, rather than something to reload.
  if (auto loaded = load_all(); !loaded) return FeedError{FeedError::Kind::unavailable, loaded.error().why};
  return position;
}

Result<LogEnd, FeedError> LogReader::scan(SnapshotSink& sink) {
  std::optional<LogEnd> known;
  const auto start = look(known);
  if (!start) return start.error();
  const auto done = in_transaction({start->end.position.epoch, 0}, known, [&]() -> Result<void, FeedError> {
    std::string last;
    do {
      if (auto loaded = load_chunk(sink, last); !loaded) return loaded;
    } while (!last.empty());
    if (auto loaded = load_terms(sink); !loaded) return loaded;
    return load_signing_keys(sink);
  });
  if (!done) return FeedError{FeedError::Kind::unavailable, done.error().why};
  return *known;
}

Result<void, FeedError> LogReader::load_chunk(SnapshotSink& sink, std::string& last) {
  static const std::string sql =
      fmt::format("SELECT {} FROM access_keys WHERE key_id > ? ORDER BY key_id LIMIT ?", store::key_columns);
  auto statement = db_.prepare(sql);
  if (!statement) return FeedError::of(statement.error());
  const std::string after = std::exchange(last, {});
  (*statement)->bind(1, after).bind(2, max_rows);
  std::int64_t rows = 0;
  int code = (*statement)->step();
  for (; code == SQLITE_ROW; code = (*statement)->step()) {
    const auto key = store::read_access_key(**statement);
    if (!key) return FeedError::of(key.error());
    sink.access_key(*key);
    if (++rows == max_rows) last = key->id.to_string();
  }
  if (code != SQLITE_DONE) return unavailable(code);
  return {};
}

Result<void, FeedError> LogReader::load_signing_keys(SnapshotSink& sink) {
  static const std::string sql = fmt::format("SELECT {} FROM signing_keys", store::signing_key_columns);
  auto statement = db_.prepare(sql);
  if (!statement) return FeedError::of(statement.error());
  int code = (*statement)->step();
  for (; code == SQLITE_ROW; code = (*statement)->step()) {
    const auto key = store::read_signing_key(**statement);
    if (!key) return FeedError::of(key.error());
    sink.signing_key(*key, Version{as_unsigned((*statement)->integer(store::signing_key_version_column))});
  }
  if (code != SQLITE_DONE) return unavailable(code);
  return {};
}

Result<void, FeedError> LogReader::load_terms(SnapshotSink& sink) {
  static const std::string plans_sql = fmt::format("SELECT {} FROM plans", store::plan_columns);
  static const std::string users_sql = fmt::format("SELECT {} FROM users", store::user_columns);
  auto plans = db_.prepare(plans_sql);
  if (!plans) return FeedError::of(plans.error());
  int code = (*plans)->step();
  for (; code == SQLITE_ROW; code = (*plans)->step()) sink.plan(store::read_plan(**plans, store::plan_columns_at));
  if (code != SQLITE_DONE) return unavailable(code);
  auto users = db_.prepare(users_sql);
  if (!users) return FeedError::of(users.error());
  code = (*users)->step();
  for (; code == SQLITE_ROW; code = (*users)->step()) sink.user(store::read_user(**users, store::user_columns_at));
  if (code != SQLITE_DONE) return unavailable(code);
  return {};
}

FeedError LogReader::unavailable(int code) const { return FeedError::of(db_.error(code)); }

}  // namespace latchkey::feed
