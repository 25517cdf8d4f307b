#include "store/sqlite/audit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "store/sqlite/queries.hpp"
#include "store/sqlite/rows.hpp"
#include "store/sqlite/schema.hpp"

namespace latchkey::store {
namespace {

constexpr const char* audit_tables = R"sql(
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY NOT NULL,
  address TEXT,
  user_agent TEXT,
  reason TEXT,
  role TEXT,
  application TEXT
) STRICT;
CREATE TABLE chain (
  seq INTEGER PRIMARY KEY NOT NULL,
  salt BLOB CHECK (length(salt) = 16),
  personal BLOB NOT NULL CHECK (length(personal) = 32),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO chain SELECT coalesce(max(seq), 0), NULL, zeroblob(32), zeroblob(32) FROM changes;
CREATE INDEX changes_of_key ON changes (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX changes_of_user ON changes (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX changes_of_signing_key ON changes (kid) WHERE kid IS NOT NULL;
CREATE INDEX changes_of_terms ON changes (kind, name, user_id) WHERE kind IS NOT NULL;
CREATE INDEX changes_by_actor ON changes (actor);
CREATE INDEX changes_by_time ON changes (at);
CREATE TRIGGER changes_by_hand AFTER INSERT ON changes WHEN NEW.actor = 'unknown'
  BEGIN INSERT INTO audit (seq, application) VALUES (NEW.seq, 'sqlite'); END;
)sql";

constexpr std::string_view note_columns = "address, user_agent, reason, role, application";

AuditNote read_note(const Statement& row, int at) {
  return {std::string(row.text(at)), std::string(row.text(at + 1)), std::string(row.text(at + 2)),
          std::string(row.text(at + 3)), std::string(row.text(at + 4))};
}

std::optional<std::string> none_if_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

Result<AuditNote> note_of(Database& database, Seq seq) {
  static const std::string sql = fmt::format("SELECT {} FROM audit WHERE seq = ?", note_columns);
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  (*statement)->bind(1, static_cast<std::int64_t>(seq.value));
  const int code = (*statement)->step();
  if (code == SQLITE_DONE) return AuditNote();
  if (code != SQLITE_ROW) return database.error(code);
  return read_note(**statement, 0);
}

std::string_view octets_of(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

template <std::size_t size>
std::array<std::uint8_t, size> array_of(std::string_view octets) {
  std::array<std::uint8_t, size> array{};
  std::copy_n(octets.begin(), std::min(size, octets.size()), array.begin());
  return array;
}

ChainLink read_link(const Statement& row) {
  ChainLink link{.seq = {static_cast<std::uint64_t>(row.integer(0))}, .salt = {}};
  if (!row.is_null(1)) link.salt = array_of<16>(row.blob(1));
  link.personal = array_of<32>(row.blob(2));
  link.hash = array_of<32>(row.blob(3));
  return link;
}

Result<ChainLink> last_link(Database& database) {
  auto statement = database.prepare("SELECT seq, salt, personal, hash FROM chain ORDER BY seq DESC LIMIT 1");
  if (!statement) return statement.error();
  const int code = (*statement)->step();
  if (code == SQLITE_ROW) return read_link(**statement);
  if (code != SQLITE_DONE) return database.error(code);
  return Error(ErrorCode::conflict, "the audit trail has no chain", "the table chain is empty");
}

Result<void> put_link(Database& database, const ChainLink& link) {
  auto statement = database.prepare("INSERT INTO chain (seq, salt, personal, hash) VALUES (?,?,?,?)");
  if (!statement) return statement.error();
  (*statement)->bind(1, static_cast<std::int64_t>(link.seq.value)).bind_blob(2, octets_of(*link.salt));
  (*statement)->bind_blob(3, octets_of(link.personal)).bind_blob(4, octets_of(link.hash));
  return database.run(**statement);
}

/// Seqs between which all changes of a time lie; none: there are none.
Result<std::optional<std::int64_t>> seq_by_time(Database& database, std::string_view sql, UnixMillis time) {
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  (*statement)->bind(1, time.count).bind(2, most_out_of_order);
  if (const int code = (*statement)->step(); code != SQLITE_ROW) return database.error(code);
  return (*statement)->optional_integer(0);
}

struct SeqRange {
  std::int64_t first = 1;
  std::int64_t last = INT64_MAX;
};

Result<SeqRange> range_of(Database& database, const AuditQuery& query) {
  SeqRange range;
  if (query.since) {
    const auto first = seq_by_time(database,
                                   "SELECT min(seq) FROM (SELECT seq FROM changes INDEXED BY changes_by_time"
                                   " WHERE at >= ?1 ORDER BY at, seq LIMIT ?2)",
                                   *query.since);
    if (!first) return first.error();
    range.first = first->value_or(INT64_MAX);
  }
  if (query.until) {
    const auto last = seq_by_time(database,
                                  "SELECT max(seq) FROM (SELECT seq FROM changes INDEXED BY changes_by_time"
                                  " WHERE at < ?1 ORDER BY at DESC, seq DESC LIMIT ?2)",
                                  *query.until);
    if (!last) return last.error();
    range.last = last->value_or(0);
  }
  if (!query.after) return range;
  const auto after = static_cast<std::int64_t>(query.after->value);
  if (query.newest_first) {
    range.last = std::min(range.last, after - 1);
  } else {
    range.first = std::max(range.first, after + 1);
  }
  return range;
}

std::string_view row_condition(const Change& change) {
  if (std::holds_alternative<AccessKey>(change.row)) return "INDEXED BY changes_of_key WHERE key_id = ?1";
  if (std::holds_alternative<SigningKey>(change.row)) return "INDEXED BY changes_of_signing_key WHERE kid = ?1";
  if (std::holds_alternative<Plan>(change.row)) {
    return "INDEXED BY changes_of_terms WHERE kind = 'plan' AND name = ?1 AND user_id IS NULL";
  }
  return "INDEXED BY changes_of_terms WHERE kind = 'user' AND name IS NULL AND user_id = ?1";
}

std::string row_name(const Change& change) {
  if (const auto* key = std::get_if<AccessKey>(&change.row)) return key->id.to_string();
  if (const auto* key = std::get_if<SigningKey>(&change.row)) return key->kid;
  if (const auto* plan = std::get_if<Plan>(&change.row)) return plan->name;
  return std::get<User>(change.row).user_id;
}

Result<std::optional<Change>> change_before(Database& database, const Change& change) {
  auto statement = database.prepare(fmt::format("SELECT {} FROM changes {} AND seq < ?2 ORDER BY seq DESC LIMIT 1",
                                                change_columns, row_condition(change)));
  if (!statement) return statement.error();
  const std::string name = row_name(change);
  (*statement)->bind(1, name).bind(2, static_cast<std::int64_t>(change.seq.value));
  const int code = (*statement)->step();
  if (code == SQLITE_DONE) return std::optional<Change>();
  if (code != SQLITE_ROW) return database.error(code);
  auto before = read_change(**statement);
  if (!before) return before.error();
  return std::optional<Change>(std::move(*before));
}

}  // namespace

Result<void> make_audit_tables(Database& database) {
  const auto there = database.query_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'chain'");
  if (!there) return there.error();
  return *there > 0 ? Result<void>() : database.execute(audit_tables);
}

Result<void> put_notes(Database& database, Seq after, const AuditNote& note) {
  if (note == AuditNote()) return {};
  auto statement = database.prepare(
      fmt::format("INSERT OR REPLACE INTO audit (seq, {}) SELECT seq, ?2, ?3, ?4, ?5, ?6 FROM changes WHERE seq > ?1",
                  note_columns));
  if (!statement) return statement.error();
  const std::optional<std::string> texts[] = {none_if_empty(note.address), none_if_empty(note.user_agent),
                                              none_if_empty(note.reason), none_if_empty(note.role),
                                              none_if_empty(note.application)};
  (*statement)->bind(1, static_cast<std::int64_t>(after.value));
  for (int i = 0; i < 5; ++i) (*statement)->bind_or_null(2 + i, texts[i]);
  return database.run(**statement);
}

Result<bool> has_unlinked(Database& database) {
  const auto count =
      database.query_integer("SELECT EXISTS (SELECT 1 FROM changes WHERE seq > (SELECT max(seq) FROM chain))");
  if (!count) return count.error();
  return *count > 0;
}

Result<bool> link_changes(Database& database, Random& random) {
  constexpr std::size_t most = 10'000;
  auto last = last_link(database);
  if (!last) return last.error();
  const auto changes = changes_after(database, last->seq, most);
  if (!changes) return changes.error();
  for (const Change& change : *changes) {
    if (change.seq != last->seq + 1) return Error(ErrorCode::conflict, "the change log has a gap");
    const auto note = note_of(database, change.seq);
    if (!note) return note.error();
    *last = make_link(last->hash, change, *note, random);
    if (auto put = put_link(database, *last); !put) return put.error();
  }
  return changes->size() == most;
}

std::string audit_sql(const AuditQuery& query) {
  std::string_view index;
  if (query.key_id) {
    index = " INDEXED BY changes_of_key";
  } else if (query.user_id) {
    index = " INDEXED BY changes_of_user";
  } else if (query.actor) {
    index = " INDEXED BY changes_by_actor";
  }
  std::string sql = fmt::format("SELECT {} FROM changes{} WHERE seq BETWEEN ?1 AND ?2", change_columns, index);
  if (query.key_id) sql += " AND key_id = ?4";
  if (query.user_id) sql += " AND user_id = ?5";
  if (query.actor) sql += " AND actor = ?6";
  if (query.since) sql += " AND at >= ?7";
  if (query.until) sql += " AND at < ?8";
  return sql + (query.newest_first ? " ORDER BY seq DESC LIMIT ?3" : " ORDER BY seq LIMIT ?3");
}

namespace {

Result<std::vector<Change>> find_changes(Database& database, const AuditQuery& query) {
  const auto range = range_of(database, query);
  if (!range) return range.error();
  auto statement = database.prepare(audit_sql(query));
  if (!statement) return statement.error();
  Statement& rows = **statement;
  const std::string key_id = query.key_id ? query.key_id->to_string() : "";
  rows.bind(1, range->first).bind(2, range->last).bind(3, static_cast<std::int64_t>(query.limit) + 1);
  if (query.key_id) rows.bind(4, key_id);
  if (query.user_id) rows.bind(5, *query.user_id);
  if (query.actor) rows.bind(6, *query.actor);
  if (query.since) rows.bind(7, query.since->count);
  if (query.until) rows.bind(8, query.until->count);
  std::vector<Change> changes;
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    auto change = read_change(rows);
    if (!change) return change.error();
    changes.push_back(std::move(*change));
  }
  if (code != SQLITE_DONE) return database.error(code);
  return changes;
}

}  // namespace

Result<AuditPage> audit(Database& database, const AuditQuery& query) {
  auto changes = find_changes(database, query);
  if (!changes) return changes.error();
  AuditPage page;
  page.more = changes->size() > query.limit;
  if (page.more) changes->pop_back();
  for (Change& change : *changes) {
    auto before = change_before(database, change);
    if (!before) return before.error();
    auto note = note_of(database, change.seq);
    if (!note) return note.error();
    page.entries.push_back({std::move(change), std::move(*before), std::move(*note)});
  }
  return page;
}

namespace {

Result<ChainReport> walk_chain(Database& database) {
  ChainWalk walk;
  auto links = database.prepare("SELECT seq, salt, personal, hash FROM chain ORDER BY seq");
  if (!links) return links.error();
  std::vector<Change> changes;
  std::size_t next = 0;
  int code = (*links)->step();
  for (bool first = true; code == SQLITE_ROW; first = false, code = (*links)->step()) {
    const ChainLink link = read_link(**links);
    if (first) {
      walk.step(link, nullptr, {});
      continue;
    }
    if (next == changes.size()) {
      auto more = changes_after(database, walk.report().end, 1000);
      if (!more) return more.error();
      changes = std::move(*more);
      next = 0;
    }
    const bool there = next < changes.size() && changes[next].seq == link.seq;
    const auto note = there ? note_of(database, link.seq) : Result<AuditNote>(AuditNote());
    if (!note) return note.error();
    if (!walk.step(link, there ? &changes[next] : nullptr, *note)) return walk.report();
    ++next;
  }
  if (code != SQLITE_DONE) return database.error(code);
  auto unlinked = database.prepare("SELECT count(*) FROM changes WHERE seq > ?");
  if (!unlinked) return unlinked.error();
  (*unlinked)->bind(1, static_cast<std::int64_t>(walk.report().end.value));
  if (const int counted = (*unlinked)->step(); counted != SQLITE_ROW) return database.error(counted);
  walk.unlinked(static_cast<std::uint64_t>((*unlinked)->integer(0)));
  return walk.report();
}

}  // namespace

Result<VerifiedChain> verify_sqlite_chain(const std::filesystem::path& path) {
  auto database = Database::open(path, Access::read, store_busy_timeout_ms);
  if (!database) return database.error();
  if (auto begun = database->execute("BEGIN"); !begun) return begun.error();
  if (auto ours = check_ours(*database); !ours) return ours.error();
  const auto there = database->query_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'chain'");
  if (!there) return there.error();
  if (*there == 0) {
    return Error(ErrorCode::conflict, "the audit trail has no chain yet: start the management service of this release");
  }
  const auto end = log_end(*database);
  if (!end) return end.error();
  const auto report = walk_chain(*database);
  if (!report) return report.error();
  return VerifiedChain{*report, end->position.epoch};
}

}  // namespace latchkey::store
