#include "store/sqlite/sqlite_transaction.hpp"

#include <fmt/format.h>

#include "store/sqlite/audit.hpp"
#include "store/sqlite/queries.hpp"
#include "store/sqlite/rows.hpp"
#include "store/sqlite/terms_queries.hpp"

namespace latchkey::store {
namespace {

constexpr std::string_view last_seq = "SELECT coalesce(max(seq), 0) FROM changes";

Error not_recorded() {
  return Error(ErrorCode::unavailable, "the database does not record changes: its triggers are gone",
               "no change was recorded: put back a copy of the database that has the triggers");
}

}  // namespace

Result<Version> SqliteTransaction::run_recorded(Statement& statement) {
  const auto before = database_.query_integer(last_seq);
  if (!before) return before.error();
  if (auto ran = database_.run(statement); !ran) return ran.error();
  const auto after = database_.query_integer(last_seq);
  if (!after) return after.error();
  if (*after == *before) return not_recorded();
  if (!before_) before_ = Seq{static_cast<std::uint64_t>(*before)};
  return Version{static_cast<std::uint64_t>(*after)};
}

Result<void> SqliteTransaction::note(const AuditNote& note) {
  return before_ ? put_notes(database_, *before_, note) : Result<void>();
}

Result<std::optional<AccessKey>> SqliteTransaction::find_key(KeyId id) { return store::find_key(database_, id); }

Result<Version> SqliteTransaction::put_key(const AccessKey& key, std::string_view action) {
  static const std::string sql = fmt::format(
      "INSERT INTO access_keys ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (key_id) DO UPDATE "
      "SET"
      " user_id = excluded.user_id, role = excluded.role, name = excluded.name, metadata = excluded.metadata,"
      " requests_per_minute = excluded.requests_per_minute, issued_at = excluded.issued_at,"
      " previous_issued_at = excluded.previous_issued_at, previous_valid_until = excluded.previous_valid_until,"
      " expires_at = excluded.expires_at, disabled = excluded.disabled, deleted = excluded.deleted,"
      " created_at = excluded.created_at, updated_at = excluded.updated_at, updated_by = excluded.updated_by,"
      " plan = excluded.plan, limits = excluded.limits, scopes = excluded.scopes, networks = excluded.networks,"
      " labels = excluded.labels, command = excluded.command",
      key_write_columns);
  auto statement = database_.prepare(sql);
  if (!statement) return statement.error();
  const KeyTexts texts = texts_of(key);
  bind_access_key(**statement, texts, key, action);
  return run_recorded(**statement);
}

Result<std::uint64_t> SqliteTransaction::change_keys(const ManyKeys& change, std::span<const KeyId> ids) {
  static constexpr std::string_view what[] = {"disabled = 1", "disabled = 0", "deleted = 1"};
  static constexpr std::string_view unless[] = {"disabled = 0", "disabled = 1", "deleted = 0"};
  const auto action = static_cast<std::size_t>(change.action);
  auto statement = database_.prepare(
      fmt::format("UPDATE access_keys SET {}, updated_at = max(?1, updated_at + 1), updated_by = ?2, command = ?3"
                  " WHERE key_id IN (SELECT value FROM json_each(?4)) AND deleted = 0 AND {}{}{}",
                  what[action], unless[action], change.filter.user_id ? " AND user_id = ?5" : "",
                  selector_condition(change.filter.selector, 6)));
  if (!statement) return statement.error();
  std::string list = "[";
  for (const KeyId& id : ids) list += fmt::format("{}\"{}\"", list.size() > 1 ? "," : "", id.to_string());
  list += ']';
  (*statement)->bind(1, change.at.count).bind(2, change.actor).bind(3, to_string(change.action)).bind(4, list);
  if (change.filter.user_id) (*statement)->bind(5, *change.filter.user_id);
  const auto paths = paths_of(change.filter.selector);
  bind_selector(**statement, change.filter.selector, paths, 6);
  const auto before = database_.query_integer(last_seq);
  if (!before) return before.error();
  if (auto ran = database_.run(**statement); !ran) return ran.error();
  const std::int64_t changed = sqlite3_changes64(database_.handle());
  const auto after = database_.query_integer(last_seq);
  if (!after) return after.error();
  if (*after - *before < changed) return not_recorded();
  if (!before_ && changed > 0) before_ = Seq{static_cast<std::uint64_t>(*before)};
  return static_cast<std::uint64_t>(changed);
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
  return run_recorded(**statement);
}

Result<std::optional<Plan>> SqliteTransaction::find_plan(std::string_view name) {
  return store::find_plan(database_, name);
}

Result<Version> SqliteTransaction::put_plan(const Plan& plan, std::string_view action) {
  auto statement = database_.prepare(
      "INSERT INTO plans (name, description, limits, metadata, deleted, created_at, updated_at, updated_by, scopes,"
      " networks, command) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET description = "
      "excluded.description,"
      " limits = excluded.limits, metadata = excluded.metadata, deleted = excluded.deleted,"
      " created_at = excluded.created_at, updated_at = excluded.updated_at, updated_by = excluded.updated_by,"
      " scopes = excluded.scopes, networks = excluded.networks, command = excluded.command");
  if (!statement) return statement.error();
  const std::string limits = to_json(std::span(plan.limits));
  const AccessRuleTexts rules = access_rule_texts(plan);
  (*statement)->bind(1, plan.name).bind(2, plan.description).bind(3, limits).bind(4, plan.metadata);
  (*statement)->bind(5, std::int64_t{plan.deleted}).bind(6, plan.created_at.count).bind(7, plan.updated_at.count);
  (*statement)->bind(8, plan.updated_by).bind_or_null(9, rules.scopes).bind_or_null(10, rules.networks);
  (*statement)->bind(11, action);
  return run_recorded(**statement);
}

Result<std::optional<User>> SqliteTransaction::find_user(std::string_view user_id) {
  return store::find_user(database_, user_id);
}

Result<Version> SqliteTransaction::put_user(const User& user, std::string_view action) {
  auto statement = database_.prepare(
      "INSERT INTO users (user_id, plan, limits, disabled, metadata, deleted, created_at, updated_at, updated_by,"
      " command) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (user_id) DO UPDATE SET plan = excluded.plan,"
      " limits = excluded.limits, disabled = excluded.disabled, metadata = excluded.metadata,"
      " deleted = excluded.deleted, created_at = excluded.created_at, updated_at = excluded.updated_at,"
      " updated_by = excluded.updated_by, command = excluded.command");
  if (!statement) return statement.error();
  const std::string limits = to_json(std::span(user.limits));
  (*statement)->bind(1, user.user_id).bind_or_null(2, user.plan).bind(3, limits).bind(4, std::int64_t{user.disabled});
  (*statement)->bind(5, user.metadata).bind(6, std::int64_t{user.deleted}).bind(7, user.created_at.count);
  (*statement)->bind(8, user.updated_at.count).bind(9, user.updated_by).bind(10, action);
  return run_recorded(**statement);
}

Result<PlanUses> SqliteTransaction::plan_uses(std::string_view name) { return store::plan_uses(database_, name); }

Result<bool> SqliteTransaction::has_keys(std::string_view user_id) { return store::has_keys(database_, user_id); }

Result<std::vector<KeyId>> SqliteTransaction::keys_without_limit(const TermsScope& scope, std::size_t most) {
  return store::keys_without_limit(database_, scope, most);
}

Result<std::vector<KeyId>> SqliteTransaction::keys_past_limits(const TermsScope& scope, std::size_t most) {
  return store::keys_past_limits(database_, scope, most);
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
