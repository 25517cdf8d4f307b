// Notices, and how far those that make and send them have come.

#include "store/sqlite/notice_queries.hpp"
#include "store/sqlite/sqlite_transaction.hpp"

namespace latchkey::store {

Result<std::vector<Notice>> notices_after(Database& database, std::uint64_t after, std::size_t limit) {
  auto statement =
      database.prepare("SELECT id, kind, at, key_id, user_id, about FROM notices WHERE id > ?1 ORDER BY id LIMIT ?2");
  if (!statement) return statement.error();
  Statement& row = **statement;
  row.bind(1, static_cast<std::int64_t>(after)).bind(2, static_cast<std::int64_t>(limit));
  std::vector<Notice> notices;
  int code = row.step();
  for (; code == SQLITE_ROW; code = row.step()) {
    notices.push_back({static_cast<std::uint64_t>(row.integer(0)), std::string(row.text(1)), UnixMillis{row.integer(2)},
                       KeyId::parse(row.text(3)), std::string(row.text(4)), row.integer(5)});
  }
  if (code != SQLITE_DONE) return database.error(code);
  return notices;
}

// An INSERT that gives way to a conflict would use up an id all the same.
Result<std::uint64_t> SqliteTransaction::add_notices(std::span<const Notice> notices) {
  std::uint64_t added = 0;
  for (const Notice& notice : notices) {
    auto statement = database_.prepare(
        "INSERT INTO notices (kind, at, key_id, user_id, about) SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS"
        " (SELECT 1 FROM notices WHERE about = ?5 AND kind = ?1 AND key_id = ?3 AND user_id = ?4)");
    if (!statement) return statement.error();
    const std::string key = notice.key_id ? notice.key_id->to_string() : "";
    (*statement)->bind(1, notice.kind).bind(2, notice.at.count).bind(3, key).bind(4, notice.user_id);
    (*statement)->bind(5, notice.about);
    if (auto ran = database_.run(**statement); !ran) return ran.error();
    added += static_cast<std::uint64_t>(sqlite3_changes64(database_.handle()));
  }
  auto forget =
      database_.prepare("DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE at < ?1 ORDER BY id LIMIT ?2)");
  if (!forget) return forget.error();
  (*forget)->bind(1, now_.count - notice_lifetime_ms).bind(2, static_cast<std::int64_t>(2 * notices.size()));
  if (auto ran = database_.run(**forget); !ran) return ran.error();
  return added;
}

Result<std::vector<ExpiringKey>> SqliteTransaction::keys_expiring(UnixMillis after, UnixMillis until) {
  auto statement = database_.prepare(
      "SELECT key_id, user_id, expires_at FROM access_keys INDEXED BY access_keys_live"
      " WHERE deleted = 0 AND disabled = 0 AND expires_at > ?1 AND expires_at <= ?2 ORDER BY key_id");
  if (!statement) return statement.error();
  Statement& row = **statement;
  row.bind(1, after.count).bind(2, until.count);
  std::vector<ExpiringKey> keys;
  int code = row.step();
  for (; code == SQLITE_ROW; code = row.step()) {
    if (const auto id = KeyId::parse(row.text(0))) keys.push_back({*id, std::string(row.text(1)), {row.integer(2)}});
  }
  if (code != SQLITE_DONE) return database_.error(code);
  return keys;
}

Result<std::uint64_t> SqliteTransaction::last_notice() {
  const auto last =
      database_.query_integer("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'notices'), 0)");
  if (!last) return last.error();
  return static_cast<std::uint64_t>(*last);
}

Result<std::optional<std::int64_t>> SqliteTransaction::lease_mark(const MarkLease& lease) {
  auto statement = database_.prepare(
      "INSERT INTO notice_marks (name, value, owner, until) VALUES (?1, ?2, ?3, ?4)"
      " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until"
      " WHERE notice_marks.owner = excluded.owner OR notice_marks.until < ?5 RETURNING value");
  if (!statement) return statement.error();
  Statement& row = **statement;
  row.bind(1, lease.name).bind(2, lease.otherwise).bind(3, lease.owner).bind(4, lease.until.count);
  row.bind(5, lease.now.count);
  const int code = row.step();
  if (code == SQLITE_ROW) {
    const std::int64_t value = row.integer(0);
    if (const int end = row.step(); end != SQLITE_DONE) return database_.error(end);
    return std::optional(value);
  }
  if (code != SQLITE_DONE) return database_.error(code);
  return std::optional<std::int64_t>();
}

Result<void> SqliteTransaction::set_mark(std::string_view name, std::int64_t value) {
  auto statement = database_.prepare("UPDATE notice_marks SET value = ?2 WHERE name = ?1");
  if (!statement) return statement.error();
  (*statement)->bind(1, name).bind(2, value);
  return database_.run(**statement);
}

}  // namespace latchkey::store
