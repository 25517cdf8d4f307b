// Rows that go, and a person's name in the log.

#include <fmt/format.h>

#include "store/sqlite/rows.hpp"
#include "store/sqlite/sqlite_transaction.hpp"

namespace latchkey::store {
namespace {

/// Rows that the statement changed itself.
Result<std::uint64_t> run_counted(Database& database, Statement& statement) {
  if (auto ran = database.run(statement); !ran) return ran.error();
  return static_cast<std::uint64_t>(sqlite3_changes64(database.handle()));
}

Result<std::string> ids_to_purge(Database& database, const Purge& purge) {
  auto statement = database.prepare(
      "SELECT json_group_array(key_id) FROM (SELECT key_id FROM access_keys INDEXED BY access_keys_deleted"
      " WHERE deleted = 1 AND updated_at < ?1 ORDER BY key_id LIMIT ?2)");
  if (!statement) return statement.error();
  (*statement)->bind(1, purge.deleted_before.count).bind(2, static_cast<std::int64_t>(purge.most));
  if (const int code = (*statement)->step(); code != SQLITE_ROW) return database.error(code);
  return std::string((*statement)->text(0));
}

/// Where the audit trail has a chain: what was noted beside the changes goes, and the salts, so that nobody can try
/// whether a change was this person's. The hashes stay, and the chain holds.
Result<void> erase_notes(Database& database, std::string_view user_id) {
  const auto there = database.query_integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('audit', 'chain')");
  if (!there) return there.error();
  if (*there != 2) return {};
  for (const char* sql : {"UPDATE audit SET address = NULL, user_agent = NULL, reason = NULL WHERE seq IN"
                          " (SELECT seq FROM changes WHERE user_id = ?1 OR actor = ?1)",
                          "UPDATE chain SET salt = NULL WHERE seq IN"
                          " (SELECT seq FROM changes WHERE user_id = ?1 OR actor = ?1)"}) {
    auto statement = database.prepare(sql);
    if (!statement) return statement.error();
    (*statement)->bind(1, user_id);
    if (auto ran = database.run(**statement); !ran) return ran;
  }
  return {};
}

}  // namespace

Result<std::uint64_t> SqliteTransaction::purgeable_keys(UnixMillis deleted_before) {
  auto statement = database_.prepare(
      "SELECT count(*) FROM access_keys INDEXED BY access_keys_deleted WHERE deleted = 1 AND updated_at < ?1");
  if (!statement) return statement.error();
  (*statement)->bind(1, deleted_before.count);
  if (const int code = (*statement)->step(); code != SQLITE_ROW) return database_.error(code);
  return static_cast<std::uint64_t>((*statement)->integer(0));
}

// The trigger of a removal passes over rows that are deleted; so the update before it is the one change of each.
Result<std::uint64_t> SqliteTransaction::purge_keys(const Purge& purge) {
  const auto ids = ids_to_purge(database_, purge);
  if (!ids) return ids.error();
  auto mark = database_.prepare(
      "UPDATE access_keys SET updated_at = max(?1, updated_at + 1), updated_by = ?2, command = 'purge'"
      " WHERE key_id IN (SELECT value FROM json_each(?3))");
  if (!mark) return mark.error();
  (*mark)->bind(1, purge.at.count).bind(2, purge.actor).bind(3, *ids);
  if (auto marked = run_counted(database_, **mark); !marked) return marked;
  auto remove = database_.prepare("DELETE FROM access_keys WHERE key_id IN (SELECT value FROM json_each(?1))");
  if (!remove) return remove.error();
  (*remove)->bind(1, *ids);
  return run_counted(database_, **remove);
}

Result<ErasedRows> SqliteTransaction::erase_rows(const Erasure& erasure) {
  auto keys = database_.prepare(
      "UPDATE access_keys SET user_id = ?1, name = '', metadata = '{}', labels = NULL, deleted = 1,"
      " updated_at = max(?2, updated_at + 1), updated_by = ?3, command = 'erase' WHERE user_id = ?4");
  if (!keys) return keys.error();
  (*keys)->bind(1, erasure.pseudonym).bind(2, erasure.at.count).bind(3, erasure.actor).bind(4, erasure.user_id);
  const auto renamed = run_counted(database_, **keys);
  if (!renamed) return renamed.error();
  auto user = database_.prepare(
      "UPDATE users SET plan = NULL, limits = '[]', disabled = 0, metadata = '{}', deleted = 1,"
      " updated_at = max(?1, updated_at + 1), updated_by = ?2, command = 'user-delete'"
      " WHERE user_id = ?3 AND deleted = 0");
  if (!user) return user.error();
  (*user)->bind(1, erasure.at.count).bind(2, erasure.actor).bind(3, erasure.user_id);
  if (auto ran = database_.run(**user); !ran) return ran.error();
  const auto row = find_user(erasure.user_id);
  if (!row) return row.error();
  return ErasedRows{*renamed, row->has_value()};
}

Result<std::uint64_t> SqliteTransaction::erase_history(const Erasure& erasure) {
  if (auto open = database_.execute("INSERT INTO meta (name, value) VALUES ('erasing', '1')"); !open) {
    return open.error();
  }
  for (const char* sql : {"DELETE FROM users WHERE user_id = ?1", "DELETE FROM idempotency WHERE actor = ?1"}) {
    auto statement = database_.prepare(sql);
    if (!statement) return statement.error();
    (*statement)->bind(1, erasure.user_id);
    if (auto ran = database_.run(**statement); !ran) return ran.error();
  }
  auto notices = database_.prepare("UPDATE notices SET user_id = ?2 WHERE user_id = ?1");
  if (!notices) return notices.error();
  (*notices)->bind(1, erasure.user_id).bind(2, erasure.pseudonym);
  if (auto ran = database_.run(**notices); !ran) return ran.error();
  if (auto erased = erase_notes(database_, erasure.user_id); !erased) return erased.error();
  std::uint64_t rewritten = 0;
  for (const char* sql : {"UPDATE changes SET user_id = ?2, name = iif(key_id IS NULL, name, ''), metadata = '{}'"
                          " WHERE user_id = ?1",
                          "UPDATE changes SET actor = ?2 WHERE actor = ?1"}) {
    auto statement = database_.prepare(sql);
    if (!statement) return statement.error();
    (*statement)->bind(1, erasure.user_id).bind(2, erasure.pseudonym);
    const auto count = run_counted(database_, **statement);
    if (!count) return count;
    rewritten += *count;
  }
  if (auto closed = database_.execute("DELETE FROM meta WHERE name = 'erasing'"); !closed) return closed.error();
  if (const auto put = put_user(tombstone_of(erasure), "user-erase"); !put) return put.error();
  database_.ask_for_scrub();
  return rewritten;
}

}  // namespace latchkey::store
