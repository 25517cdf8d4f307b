#include "store/postgres/postgres_transaction.hpp"

#include <fmt/format.h>

#include "store/postgres/audit.hpp"
#include "store/postgres/queries.hpp"
#include "store/postgres/rows.hpp"
#include "store/postgres/terms_queries.hpp"

namespace latchkey::store::postgres {
namespace {

// PostgreSQL's text has no NUL; cut off at one, an actor or a digest would pass for another.
Result<void> check_text(std::string_view text) {
  if (!text.contains('\0')) return {};
  return Error(ErrorCode::invalid, "a text must not contain the character NUL");
}

}  // namespace

Result<std::optional<AccessKey>> PostgresTransaction::find_key(KeyId id) { return postgres::find_key(connection_, id); }

Result<Version> PostgresTransaction::put_key(const AccessKey& key, std::string_view action) {
  static const std::string sql = fmt::format(
      "INSERT INTO access_keys ({}) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21)"
      " ON CONFLICT (key_id) DO UPDATE SET user_id = excluded.user_id, role = excluded.role, name = excluded.name,"
      " metadata = excluded.metadata, requests_per_minute = excluded.requests_per_minute,"
      " issued_at = excluded.issued_at, previous_issued_at = excluded.previous_issued_at,"
      " previous_valid_until = excluded.previous_valid_until, expires_at = excluded.expires_at,"
      " disabled = excluded.disabled, deleted = excluded.deleted, created_at = excluded.created_at,"
      " updated_at = excluded.updated_at, updated_by = excluded.updated_by, plan = excluded.plan,"
      " limits = excluded.limits, scopes = excluded.scopes, networks = excluded.networks, labels = excluded.labels,"
      " command = excluded.command",
      key_write_columns);
  for (const std::string_view text : {std::string_view(key.name), std::string_view(key.metadata),
                                      std::string_view(key.user_id), std::string_view(key.updated_by)}) {
    if (const auto checked = check_text(text); !checked) return checked.error();
  }
  return version_after(connection_.query(sql, key_parameters(key, action)));
}

Result<std::uint64_t> PostgresTransaction::change_keys(const ManyKeys& change, std::span<const KeyId> ids) {
  static constexpr std::string_view what[] = {"disabled = true", "disabled = false", "deleted = true"};
  static constexpr std::string_view unless[] = {"NOT disabled", "disabled", "NOT deleted"};
  if (const auto checked = check_text(change.actor); !checked) return checked.error();
  const auto action = static_cast<std::size_t>(change.action);
  const std::string sql = fmt::format(
      "WITH changed AS (UPDATE access_keys SET {}, updated_at = greatest($1::bigint, updated_at + 1),"
      " updated_by = $2, command = $3 WHERE key_id = ANY ($4::uuid[]) AND NOT deleted AND {}"
      " AND ($5::text IS NULL OR user_id = $5){} RETURNING 1) SELECT count(*) FROM changed",
      what[action], unless[action], selector_condition(change.filter.selector, 6));
  std::string list = "{";
  for (const KeyId& id : ids) list += (list.size() > 1 ? "," : "") + id.to_string();
  Parameters values;
  values.add(change.at.count).add(change.actor).add(to_string(change.action)).add(list + '}');
  values.add_or_null(change.filter.user_id);
  for (const auto& requirement : change.filter.selector) values.add(requirement.name).add(requirement.value);
  const auto rows = connection_.query(sql, values);
  if (!rows) return rows.error();
  const auto changed = static_cast<std::uint64_t>((*rows)[0].integer(0));
  if (changed == 0) return changed;
  const std::uint64_t before = end_.position.seq.value;
  if (const auto version = version_after(rows); !version) return version.error();
  if (end_.position.seq.value - before >= changed) return changed;
  return Error(ErrorCode::unavailable, "the database does not record changes: its triggers are disabled",
               "fewer changes were recorded than rows were changed: SELECT enable_triggers()");
}

Result<std::vector<SigningKey>> PostgresTransaction::signing_keys() { return postgres::signing_keys(connection_); }

Result<Version> PostgresTransaction::put_signing_key(const SigningKey& key, std::string_view actor) {
  if (const auto checked = check_text(actor); !checked) return checked.error();
  Parameters values;
  values.add(key.kid).add_bytes(as_bytes(key.public_key)).add(to_string(key.state));
  values.add(key.created_at.count).add(key.updated_at.count).add(actor);
  return version_after(connection_.query(
      "INSERT INTO signing_keys (kid, public_key, state, created_at, updated_at, updated_by, command)"
      " VALUES ($1,$2,$3,$4,$5,$6,'signing-key') ON CONFLICT (kid) DO UPDATE SET public_key = excluded.public_key,"
      " state = excluded.state, created_at = excluded.created_at, updated_at = excluded.updated_at,"
      " updated_by = excluded.updated_by, command = excluded.command",
      values));
}

Result<std::optional<Plan>> PostgresTransaction::find_plan(std::string_view name) {
  return postgres::find_plan(connection_, name);
}

Result<Version> PostgresTransaction::put_plan(const Plan& plan, std::string_view action) {
  for (const std::string_view text : {std::string_view(plan.name), std::string_view(plan.description),
                                      std::string_view(plan.metadata), std::string_view(plan.updated_by)}) {
    if (const auto checked = check_text(text); !checked) return checked.error();
  }
  Parameters values;
  values.add(plan.name).add(plan.description).add(to_json(std::span(plan.limits))).add(plan.metadata);
  values.add_flag(plan.deleted).add(plan.created_at.count).add(plan.updated_at.count).add(plan.updated_by);
  const AccessRuleTexts rules = access_rule_texts(plan);
  values.add_or_null(rules.scopes).add_or_null(rules.networks).add(action);
  return version_after(connection_.query(
      "INSERT INTO plans (name, description, limits, metadata, deleted, created_at, updated_at, updated_by, scopes,"
      " networks, command) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) ON CONFLICT (name) DO UPDATE SET description = "
      "excluded.description,"
      " limits = excluded.limits, metadata = excluded.metadata, deleted = excluded.deleted,"
      " created_at = excluded.created_at, updated_at = excluded.updated_at, updated_by = excluded.updated_by,"
      " scopes = excluded.scopes, networks = excluded.networks, command = excluded.command",
      values));
}

Result<std::optional<User>> PostgresTransaction::find_user(std::string_view user_id) {
  return postgres::find_user(connection_, user_id);
}

Result<Version> PostgresTransaction::put_user(const User& user, std::string_view action) {
  for (const std::string_view text :
       {std::string_view(user.user_id), std::string_view(user.metadata), std::string_view(user.updated_by)}) {
    if (const auto checked = check_text(text); !checked) return checked.error();
  }
  Parameters values;
  values.add(user.user_id).add_or_null(user.plan).add(to_json(std::span(user.limits))).add_flag(user.disabled);
  values.add(user.metadata).add_flag(user.deleted).add(user.created_at.count).add(user.updated_at.count);
  values.add(user.updated_by).add(action);
  return version_after(connection_.query(
      "INSERT INTO users (user_id, plan, limits, disabled, metadata, deleted, created_at, updated_at, updated_by,"
      " command) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10) ON CONFLICT (user_id) DO UPDATE SET plan = excluded.plan,"
      " limits = excluded.limits, disabled = excluded.disabled, metadata = excluded.metadata,"
      " deleted = excluded.deleted, created_at = excluded.created_at, updated_at = excluded.updated_at,"
      " updated_by = excluded.updated_by, command = excluded.command",
      values));
}

Result<PlanUses> PostgresTransaction::plan_uses(std::string_view name) {
  return postgres::plan_uses(connection_, name);
}

Result<bool> PostgresTransaction::has_keys(std::string_view user_id) {
  return postgres::has_keys(connection_, user_id);
}

Result<std::vector<KeyId>> PostgresTransaction::keys_without_limit(const TermsScope& scope, std::size_t most) {
  return postgres::keys_without_limit(connection_, scope, most);
}

Result<std::vector<KeyId>> PostgresTransaction::keys_past_limits(const TermsScope& scope, std::size_t most) {
  return postgres::keys_past_limits(connection_, scope, most);
}

// Read, not counted: a trigger of the operator's own may have added changes. None means that the row was changed and
// nobody will hear of it.
Result<Version> PostgresTransaction::version_after(const Result<Rows>& written) {
  if (!written) return written.error();
  const auto end = connection_.query("SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1");
  if (!end) return end.error();
  if (end->count() == 0 || Seq{static_cast<std::uint64_t>((*end)[0].integer(0))} <= end_.position.seq) {
    return Error(ErrorCode::unavailable, "the database does not record changes: its triggers are disabled",
                 "no change was recorded: SELECT enable_triggers()");
  }
  end_.position.seq = Seq{static_cast<std::uint64_t>((*end)[0].integer(0))};
  end_.nonce = Nonce{static_cast<std::uint64_t>((*end)[0].integer(1))};
  return Version::made_by(end_.position.seq);
}

Result<void> PostgresTransaction::note(const AuditNote& note) {
  return end_.position.seq == begin_ ? Result<void>() : put_notes(connection_, begin_, note);
}

Result<std::optional<Change>> PostgresTransaction::find_change(Seq seq) {
  if (seq == Seq{}) return std::optional<Change>();
  auto changes = changes_after(connection_, seq - 1, 1);
  if (!changes) return changes.error();
  if (changes->empty() || changes->front().seq != seq) return std::optional<Change>();
  return std::optional<Change>(std::move(changes->front()));
}

Result<std::optional<IdempotencyRecord>> PostgresTransaction::find_idempotency(std::string_view actor,
                                                                               std::string_view key) {
  for (const std::string_view text : {actor, key}) {
    if (const auto checked = check_text(text); !checked) return checked.error();
  }
  const auto rows = connection_.query(
      "SELECT request_digest, key_id, seq, kid, created_at FROM idempotency WHERE actor = $1 AND idempotency_key = $2",
      Parameters().add(actor).add(key));
  if (!rows) return rows.error();
  if (rows->count() == 0) return std::optional<IdempotencyRecord>();
  const Row row = (*rows)[0];
  const auto id = KeyId::parse(row.text(1));
  if (!id) return Error(ErrorCode::internal, "the database holds a broken row", "idempotency row");
  return std::optional<IdempotencyRecord>({std::string(actor), std::string(key), row.bytes(0), *id,
                                           static_cast<std::uint64_t>(row.integer(2)), std::string(row.text(3)),
                                           UnixMillis{row.integer(4)}});
}

Result<void> PostgresTransaction::put_idempotency(const IdempotencyRecord& record) {
  for (const std::string_view text : {std::string_view(record.actor), std::string_view(record.idempotency_key)}) {
    if (const auto checked = check_text(text); !checked) return checked.error();
  }
  // Each new record takes a few old ones with it: the table stays bounded and no commit has to clear a day's worth.
  const auto forgotten = connection_.query(
      "DELETE FROM idempotency WHERE (actor, idempotency_key) IN"
      " (SELECT actor, idempotency_key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT 8)",
      Parameters().add(now_.count - IdempotencyRecord::lifetime_ms));
  if (!forgotten) return forgotten.error();
  Parameters values;
  values.add(record.actor).add(record.idempotency_key).add_bytes(record.request_digest).add(record.key_id.to_string());
  values.add(static_cast<std::int64_t>((record.seq == Seq{} ? end_.position.seq : record.seq).value)).add(record.kid);
  values.add(record.created_at.count);
  const auto put = connection_.query(
      "INSERT INTO idempotency (actor, idempotency_key, request_digest, key_id, seq, kid, created_at)"
      " VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (actor, idempotency_key) DO UPDATE SET"
      " request_digest = excluded.request_digest, key_id = excluded.key_id, seq = excluded.seq, kid = excluded.kid,"
      " created_at = excluded.created_at",
      values);
  if (!put) return put.error();
  return {};
}

}  // namespace latchkey::store::postgres
