// Rows that go, and a person's name in the log.

#include "store/postgres/postgres_transaction.hpp"
#include "store/postgres/rows.hpp"

namespace latchkey::store::postgres {
namespace {

bool has_nul(const Erasure& erasure) {
  return erasure.user_id.contains('\0') || erasure.pseudonym.contains('\0') || erasure.actor.contains('\0');
}

/// Where the audit trail has a chain: what was noted beside the changes goes, and the salts, so that nobody can try
/// whether a change was this person's. The hashes stay, and the chain holds.
Result<void> erase_notes(Connection& connection, std::string_view user_id) {
  const auto there = connection.query("SELECT to_regclass('audit') IS NOT NULL AND to_regclass('chain') IS NOT NULL");
  if (!there) return there.error();
  if (!(*there)[0].boolean(0)) return {};
  for (const char* sql : {"UPDATE audit SET address = NULL, user_agent = NULL, reason = NULL WHERE seq IN"
                          " (SELECT seq FROM changes WHERE user_id = $1 OR actor = $1)",
                          "UPDATE chain SET salt = NULL WHERE seq IN"
                          " (SELECT seq FROM changes WHERE user_id = $1 OR actor = $1)"}) {
    if (const auto done = connection.query(sql, Parameters().add(user_id)); !done) return done.error();
  }
  return {};
}

}  // namespace

Result<std::uint64_t> PostgresTransaction::purgeable_keys(UnixMillis deleted_before) {
  const auto rows = connection_.query("SELECT count(*) FROM access_keys WHERE deleted AND updated_at < $1::bigint",
                                      Parameters().add(deleted_before.count));
  if (!rows) return rows.error();
  return static_cast<std::uint64_t>((*rows)[0].integer(0));
}

// The trigger of a removal passes over rows that are deleted; so the update before it is the one change of each.
Result<std::uint64_t> PostgresTransaction::purge_keys(const Purge& purge) {
  if (purge.actor.contains('\0')) return Error(ErrorCode::invalid, "a text must not contain the character NUL");
  Parameters values;
  values.add(purge.deleted_before.count).add(static_cast<std::int64_t>(purge.most));
  values.add(purge.at.count).add(purge.actor);
  const auto marked = connection_.query(
      "UPDATE access_keys SET updated_at = greatest($3::bigint, updated_at + 1), updated_by = $4, command = 'purge'"
      " WHERE key_id IN (SELECT key_id FROM access_keys WHERE deleted AND updated_at < $1::bigint"
      "   ORDER BY key_id LIMIT $2::bigint) RETURNING key_id",
      values);
  if (!marked) return marked.error();
  if (marked->count() == 0) return std::uint64_t{0};
  std::string list = "{";
  for (int i = 0; i < marked->count(); ++i) {
    if (list.size() > 1) list += ',';
    list += (*marked)[i].text(0);
  }
  if (const auto version = version_after(marked); !version) return version.error();
  const auto removed =
      connection_.query("DELETE FROM access_keys WHERE key_id = ANY ($1::uuid[])", Parameters().add(list + '}'));
  if (!removed) return removed.error();
  return static_cast<std::uint64_t>(marked->count());
}

Result<ErasedRows> PostgresTransaction::erase_rows(const Erasure& erasure) {
  if (has_nul(erasure)) return ErasedRows{};
  Parameters values;
  values.add(erasure.pseudonym).add(erasure.at.count).add(erasure.actor).add(erasure.user_id);
  const auto keys = connection_.query(
      "WITH erased AS (UPDATE access_keys SET user_id = $1, name = '', metadata = '{}', labels = NULL, deleted = true,"
      " updated_at = greatest($2::bigint, updated_at + 1), updated_by = $3, command = 'erase' WHERE user_id = $4"
      " RETURNING 1) SELECT count(*) FROM erased",
      values);
  if (!keys) return keys.error();
  const auto renamed = static_cast<std::uint64_t>((*keys)[0].integer(0));
  if (renamed > 0) {
    if (const auto version = version_after(keys); !version) return version.error();
  }
  const auto user = connection_.query(
      "WITH erased AS (UPDATE users SET plan = NULL, limits = '[]', disabled = false, metadata = '{}', deleted = true,"
      " updated_at = greatest($1::bigint, updated_at + 1), updated_by = $2, command = 'user-delete'"
      " WHERE user_id = $3 AND NOT deleted RETURNING 1) SELECT count(*) FROM erased",
      Parameters().add(erasure.at.count).add(erasure.actor).add(erasure.user_id));
  if (!user) return user.error();
  if ((*user)[0].integer(0) > 0) {
    if (const auto version = version_after(user); !version) return version.error();
  }
  const auto row = find_user(erasure.user_id);
  if (!row) return row.error();
  return ErasedRows{renamed, row->has_value()};
}

Result<std::uint64_t> PostgresTransaction::erase_history(const Erasure& erasure) {
  if (has_nul(erasure)) return std::uint64_t{0};
  if (const auto open = connection_.query("SELECT set_config('latchkey.erasing', 'on', true)"); !open) {
    return open.error();
  }
  for (const char* sql : {"DELETE FROM users WHERE user_id = $1", "DELETE FROM idempotency WHERE actor = $1"}) {
    if (const auto removed = connection_.query(sql, Parameters().add(erasure.user_id)); !removed) {
      return removed.error();
    }
  }
  const auto notices = connection_.query("UPDATE notices SET user_id = $2 WHERE user_id = $1",
                                         Parameters().add(erasure.user_id).add(erasure.pseudonym));
  if (!notices) return notices.error();
  if (auto erased = erase_notes(connection_, erasure.user_id); !erased) return erased.error();
  std::uint64_t rewritten = 0;
  for (const char* sql :
       {"WITH erased AS (UPDATE changes SET user_id = $2, name = CASE WHEN key_id IS NULL THEN name ELSE '' END,"
        " metadata = '{}' WHERE user_id = $1 RETURNING 1) SELECT count(*) FROM erased",
        "WITH erased AS (UPDATE changes SET actor = $2 WHERE actor = $1 RETURNING 1) SELECT count(*) FROM erased"}) {
    const auto count = connection_.query(sql, Parameters().add(erasure.user_id).add(erasure.pseudonym));
    if (!count) return count.error();
    rewritten += static_cast<std::uint64_t>((*count)[0].integer(0));
  }
  if (const auto closed = connection_.query("SELECT set_config('latchkey.erasing', 'off', true)"); !closed) {
    return closed.error();
  }
  if (const auto put = put_user(tombstone_of(erasure), "user-erase"); !put) return put.error();
  return rewritten;
}

}  // namespace latchkey::store::postgres
