#include "store/sqlite/sqlite_transaction.hpp"

#include <fmt/format.h>

#include "store/sqlite/queries.hpp"
#include "store/sqlite/rows.hpp"

namespace latchkey::store {
namespace {

constexpr std::string_view last_seq = "SELECT coalesce(max(seq), 0) FROM changes";

/// Runs a statement that changes a row, which the table's trigger records.
Result<Version> run_recorded(Database& database, Statement& statement) {
  const auto before = database.query_integer(last_seq);
  if (!before) return before.error();
  if (auto ran = database.run(statement); !ran) return ran.error();
  const auto after = database.query_integer(last_seq);
  if (!after) return after.error();
  if (*after > *before) return Version{static_cast<std::uint64_t>(*after)};
  return Error(ErrorCode::unavailable, "the database does not record changes: its triggers are gone",
               "no change was recorded: put back a copy of the database that has the triggers");
}

}  // namespace

Result<std::optional<AccessKey>> SqliteTransaction::find_key(KeyId id) { return store::find_key(database_, id); }

Result<Version> SqliteTransaction::put_key(const AccessKey& key, std::string_view action) {
  static const std::string sql = fmt::format(
      "INSERT INTO access_keys ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (key_id) DO UPDATE SET"
      " user_id = excluded.user_id, role = excluded.role, name = excluded.name, metadata = excluded.metadata,"
      " requests_per_minute = excluded.requests_per_minute, issued_at = excluded.issued_at,"
      " previous_issued_at = excluded.previous_issued_at, previous_valid_until = excluded.previous_valid_until,"
      " expires_at = excluded.expires_at, disabled = excluded.disabled, deleted = excluded.deleted,"
      " created_at = excluded.created_at, updated_at = excluded.updated_at, updated_by = excluded.updated_by,"
      " command = excluded.command",
      key_write_columns);
  auto statement = database_.prepare(sql);
  if (!statement) return statement.error();
  const std::string id_text = key.id.to_string();
  bind_access_key(**statement, id_text, key, action);
  return run_recorded(database_, **statement);
}

Result<std::vector<SigningKey>> SqliteTransaction::signing_keys() { return store::signing_keys(database_); }

Result<Version> SqliteTransaction::put_signing_key(const SigningKey& key, std::string_view actor) {
  auto statement = database_.prepare(
      "INSERT INTO signing_keys (kid, public_key, state, created_at, updated_at, updated_by, command)"
      " VALUES (?,?,?,?,?,?,'signing-key') ON CONFLICT (kid) DO UPDATE SET public_key = excluded.public_key,"
      " state = excluded.state, created_at = excluded.created_at, updated_at = excluded.updated_at,"
      " updated_by = excluded.updated_by, command = excluded.command");
  if (!statement) return statement.error();
  const std::string_view public_key(reinterpret_cast<const char*>(key.public_key.data()), key.public_key.size());
  (*statement)->bind(1, key.kid).bind_blob(2, public_key).bind(3, to_string(key.state));
  (*statement)->bind(4, key.created_at.count).bind(5, key.updated_at.count).bind(6, actor);
  return run_recorded(database_, **statement);
}

Result<std::optional<Change>> SqliteTransaction::find_change(Seq seq) {
  static const std::string sql = fmt::format("SELECT {} FROM changes WHERE seq = ?", change_columns);
  auto statement = database_.prepare(sql);
  if (!statement) return statement.error();
  (*statement)->bind(1, static_cast<std::int64_t>(seq.value));
  const int code = (*statement)->step();
  if (code == SQLITE_DONE) return std::optional<Change>();
  if (code != SQLITE_ROW) return database_.error(code);
  auto change = read_change(**statement);
  if (!change) return change.error();
  return std::optional<Change>(std::move(*change));
}

Result<std::optional<IdempotencyRecord>> SqliteTransaction::find_idempotency(std::string_view actor,
                                                                             std::string_view key) {
  auto statement = database_.prepare(
      "SELECT request_digest, key_id, seq, kid, created_at FROM idempotency WHERE actor = ? AND idempotency_key = ?");
  if (!statement) return statement.error();
  Statement& row = **statement;
  row.bind(1, actor).bind(2, key);
  const int code = row.step();
  if (code == SQLITE_DONE) return std::optional<IdempotencyRecord>();
  if (code != SQLITE_ROW) return database_.error(code);
  const auto id = KeyId::parse(row.text(1));
  if (!id) return Error(ErrorCode::internal, "the database holds a broken row", "idempotency row");
  return std::optional<IdempotencyRecord>({std::string(actor), std::string(key), std::string(row.blob(0)), *id,
                                           static_cast<std::uint64_t>(row.integer(2)), std::string(row.text(3)),
                                           UnixMillis{row.integer(4)}});
}

Result<void> SqliteTransaction::put_idempotency(const IdempotencyRecord& record) {
  if (auto forgotten = forget_old_idempotency(); !forgotten) return forgotten;
  auto statement = database_.prepare(
      "INSERT OR REPLACE INTO idempotency (actor, idempotency_key, request_digest, key_id, seq, kid, created_at)"
      " VALUES (?, ?, ?, ?, iif(?5 = 0, (SELECT coalesce(max(seq), 0) FROM changes), ?5), ?, ?)");
  if (!statement) return statement.error();
  const std::string id_text = record.key_id.to_string();
  (*statement)->bind(1, record.actor).bind(2, record.idempotency_key).bind_blob(3, record.request_digest);
  (*statement)->bind(4, id_text).bind(5, static_cast<std::int64_t>(record.seq.value)).bind(6, record.kid);
  (*statement)->bind(7, record.created_at.count);
  return database_.run(**statement);
}

// Each new record takes a few old ones with it: the table stays bounded and no commit has to clear a day's worth.
Result<void> SqliteTransaction::forget_old_idempotency() {
  auto statement = database_.prepare(
      "DELETE FROM idempotency WHERE (actor, idempotency_key) IN"
      " (SELECT actor, idempotency_key FROM idempotency WHERE created_at < ? ORDER BY created_at LIMIT 8)");
  if (!statement) return statement.error();
  (*statement)->bind(1, now_.count - IdempotencyRecord::lifetime_ms);
  return database_.run(**statement);
}

}  // namespace latchkey::store
