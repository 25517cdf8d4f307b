#include "store/sqlite/triggers.hpp"

#include <fmt/format.h>

#include <string_view>

namespace latchkey::store {
namespace {

// {row}: OLD or NEW. {at}, {actor}, {action}, {deleted}, {state}: expressions. {schema}: its number.
constexpr const char* append_key = R"sql(
  INSERT INTO changes (nonce, at, actor, action, key_id, user_id, role, name, metadata, requests_per_minute, issued_at,
      previous_issued_at, previous_valid_until, expires_at, disabled, deleted, created_at)
    VALUES (random(), {at}, {actor}, {action}, {row}.key_id, {row}.user_id, {row}.role, {row}.name, {row}.metadata,
      {row}.requests_per_minute, {row}.issued_at, {row}.previous_issued_at, {row}.previous_valid_until,
      {row}.expires_at, {row}.disabled, {deleted}, {row}.created_at);)sql";

constexpr const char* append_key_with_terms = R"sql(
  INSERT INTO changes (nonce, at, actor, action, key_id, user_id, role, name, metadata, requests_per_minute, issued_at,
      previous_issued_at, previous_valid_until, expires_at, disabled, deleted, created_at, plan, limits)
    VALUES (random(), {at}, {actor}, {action}, {row}.key_id, {row}.user_id, {row}.role, {row}.name, {row}.metadata,
      {row}.requests_per_minute, {row}.issued_at, {row}.previous_issued_at, {row}.previous_valid_until,
      {row}.expires_at, {row}.disabled, {deleted}, {row}.created_at, {row}.plan, {row}.limits);
  UPDATE meta SET value = '3 3' WHERE name = 'readers' AND value <> '3 3'
    AND ({row}.requests_per_minute IS NULL OR {row}.plan IS NOT NULL OR {row}.limits IS NOT NULL);)sql";

constexpr const char* append_signing_key = R"sql(
  INSERT INTO changes (nonce, at, actor, action, kid, public_key, state, created_at)
    VALUES (random(), {at}, {actor}, {action}, {row}.kid, {row}.public_key, {state}, {row}.created_at);)sql";

constexpr const char* append_plan = R"sql(
  INSERT INTO changes (nonce, at, actor, action, kind, name, description, limits, metadata, deleted, created_at)
    VALUES (random(), {at}, {actor}, {action}, 'plan', {row}.name, {row}.description, {row}.limits, {row}.metadata,
      {deleted}, {row}.created_at);
  UPDATE meta SET value = '3 3' WHERE name = 'readers' AND value <> '3 3';)sql";

constexpr const char* append_user = R"sql(
  INSERT INTO changes (nonce, at, actor, action, kind, user_id, plan, limits, disabled, metadata, deleted, created_at)
    VALUES (random(), {at}, {actor}, {action}, 'user', {row}.user_id, {row}.plan, {row}.limits, {row}.disabled,
      {row}.metadata, {deleted}, {row}.created_at);
  UPDATE meta SET value = '3 3' WHERE name = 'readers' AND value <> '3 3';)sql";

constexpr const char* append_key_with_rules = R"sql(
  INSERT INTO changes (nonce, at, actor, action, key_id, user_id, role, name, metadata, requests_per_minute, issued_at,
      previous_issued_at, previous_valid_until, expires_at, disabled, deleted, created_at, plan, limits, scopes,
      networks, labels)
    VALUES (random(), {at}, {actor}, {action}, {row}.key_id, {row}.user_id, {row}.role, {row}.name, {row}.metadata,
      {row}.requests_per_minute, {row}.issued_at, {row}.previous_issued_at, {row}.previous_valid_until,
      {row}.expires_at, {row}.disabled, {deleted}, {row}.created_at, {row}.plan, {row}.limits, {row}.scopes,
      {row}.networks, {row}.labels);
  UPDATE meta SET value = '{schema} 4' WHERE name = 'readers' AND value <> '{schema} 4'
    AND ({row}.scopes IS NOT NULL OR {row}.networks IS NOT NULL OR {row}.labels IS NOT NULL);
  UPDATE meta SET value = '{schema} 3' WHERE name = 'readers' AND value = '{schema} 2'
    AND ({row}.requests_per_minute IS NULL OR {row}.plan IS NOT NULL OR {row}.limits IS NOT NULL);)sql";

constexpr const char* append_plan_with_rules = R"sql(
  INSERT INTO changes (nonce, at, actor, action, kind, name, description, limits, metadata, deleted, created_at, scopes,
      networks)
    VALUES (random(), {at}, {actor}, {action}, 'plan', {row}.name, {row}.description, {row}.limits, {row}.metadata,
      {deleted}, {row}.created_at, {row}.scopes, {row}.networks);
  UPDATE meta SET value = '{schema} 4' WHERE name = 'readers' AND value <> '{schema} 4'
    AND ({row}.scopes IS NOT NULL OR {row}.networks IS NOT NULL);
  UPDATE meta SET value = '{schema} 3' WHERE name = 'readers' AND value = '{schema} 2';)sql";

constexpr const char* append_user_with_readers = R"sql(
  INSERT INTO changes (nonce, at, actor, action, kind, user_id, plan, limits, disabled, metadata, deleted, created_at)
    VALUES (random(), {at}, {actor}, {action}, 'user', {row}.user_id, {row}.plan, {row}.limits, {row}.disabled,
      {row}.metadata, {deleted}, {row}.created_at);
  UPDATE meta SET value = '{schema} 3' WHERE name = 'readers' AND value = '{schema} 2';)sql";

// Brings the row in line with the change just appended: this sets `version`.
constexpr const char* settle_row = R"sql(
  UPDATE {table} SET version = c.seq, updated_at = c.at, updated_by = c.actor, command = NULL
    FROM (SELECT seq, at, actor FROM changes ORDER BY seq DESC LIMIT 1) AS c WHERE {table}.{id} = NEW.{id};)sql";

// True for every update but the trigger's own, which alone moves `version` to the log's last seq, of this very row.
// (With recursive_triggers=ON the trigger sees its own update too.)
constexpr const char* is_not_settling = R"sql(
  NEW.version = OLD.version OR
  NEW.{id} IS NOT (SELECT {id} FROM changes WHERE seq = NEW.version AND seq = (SELECT max(seq) FROM changes){kind}))sql";

constexpr const char* now_ms = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";

constexpr const char* key_action_by_hand = R"sql(CASE
      WHEN NEW.deleted > OLD.deleted THEN 'delete'
      WHEN NEW.disabled > OLD.disabled THEN 'disable'
      WHEN NEW.disabled < OLD.disabled THEN 'enable'
      WHEN NEW.issued_at <> OLD.issued_at THEN 'rotate'
      ELSE 'update' END)sql";
constexpr const char* plan_action_by_hand =
    "CASE WHEN NEW.deleted > OLD.deleted THEN 'plan-delete' ELSE 'plan-update' END";
constexpr const char* user_action_by_hand = R"sql(CASE
      WHEN NEW.deleted > OLD.deleted THEN 'user-delete'
      WHEN NEW.disabled > OLD.disabled THEN 'user-disable'
      WHEN NEW.disabled < OLD.disabled THEN 'user-enable'
      ELSE 'user-update' END)sql";

/// A table of which each change is recorded. Actions are expressions, for statements that name none themselves.
struct Recorded {
  const char* table;
  const char* id;
  const char* append;
  std::string created, updated, removed;
  const char* kind = "";  // what else tells its changes from those of other tables
  int schema = 1;         // that brings these triggers
};

std::string by_hand_or_command(std::string_view action) { return fmt::format("coalesce(NEW.command, {})", action); }

const Recorded& keys_of_schema_1() {
  static const Recorded keys{
      "access_keys", "key_id", append_key, by_hand_or_command("'create'"), by_hand_or_command(key_action_by_hand),
      "'delete'"};
  return keys;
}

const Recorded& signing_keys() {
  static const Recorded keys{"signing_keys",  "kid",           append_signing_key,
                             "'signing-key'", "'signing-key'", "'signing-key'"};
  return keys;
}

Recorded keys_with(const char* append) {
  Recorded keys = keys_of_schema_1();
  keys.append = append;
  return keys;
}

Recorded plans_with(const char* append) {
  return {"plans",
          "name",
          append,
          by_hand_or_command("'plan-create'"),
          by_hand_or_command(plan_action_by_hand),
          "'plan-delete'",
          " AND kind = 'plan'"};
}

Recorded users_with(const char* append) {
  return {"users",
          "user_id",
          append,
          by_hand_or_command("'user-create'"),
          by_hand_or_command(user_action_by_hand),
          "'user-delete'",
          " AND kind = 'user'"};
}

std::string trigger(const Recorded& rows, const char* event, const std::string& when, const std::string& body) {
  return fmt::format("CREATE TRIGGER {0}_{1} AFTER {1} ON {0} {2} BEGIN {3} END;\n", rows.table, event, when, body);
}

/// What of an INSERT or UPDATE goes into `changes`.
std::string record_new(const Recorded& rows, const std::string& at, const std::string& action) {
  using fmt::arg;
  return fmt::format(fmt::runtime(rows.append), arg("row", "NEW"), arg("at", at),
                     arg("actor", "iif(NEW.command IS NULL, 'unknown', NEW.updated_by)"), arg("action", action),
                     arg("deleted", "NEW.deleted"), arg("state", "NEW.state"), arg("schema", rows.schema));
}

/// A row that is removed lives on as one that is deleted; without its row nobody may trust a signing key any longer.
std::string record_removal(const Recorded& rows) {
  using fmt::arg;
  return fmt::format(fmt::runtime(rows.append), arg("row", "OLD"),
                     arg("at", fmt::format("max({}, OLD.updated_at + 1)", now_ms)), arg("actor", "'unknown'"),
                     arg("action", rows.removed), arg("deleted", "1"), arg("state", "'retired'"),
                     arg("schema", rows.schema));
}

std::string triggers_of(const Recorded& rows) {
  using fmt::arg;
  const auto settle = fmt::format(fmt::runtime(settle_row), arg("table", rows.table), arg("id", rows.id));
  const auto by_others =
      "WHEN " + fmt::format(fmt::runtime(is_not_settling), arg("id", rows.id), arg("kind", rows.kind));
  const auto inserted_at = fmt::format("iif(NEW.command IS NULL, {}, NEW.updated_at)", now_ms);
  const auto updated_at = fmt::format("iif(NEW.command IS NULL, max({}, OLD.updated_at + 1), NEW.updated_at)", now_ms);
  return trigger(rows, "INSERT", "", record_new(rows, inserted_at, rows.created) + settle) +
         trigger(rows, "UPDATE", by_others, record_new(rows, updated_at, rows.updated) + settle) +
         trigger(rows, "DELETE", rows.schema >= 5 ? "WHEN OLD.deleted = 0" : "", record_removal(rows));
}

std::string dropped(const Recorded& rows) {
  return fmt::format("DROP TRIGGER {0}_INSERT; DROP TRIGGER {0}_UPDATE; DROP TRIGGER {0}_DELETE;\n", rows.table);
}

}  // namespace

std::string triggers_of_schema_1() { return triggers_of(keys_of_schema_1()) + triggers_of(signing_keys()); }

std::string triggers_of_schema_3() {
  const Recorded keys = keys_with(append_key_with_terms);
  return dropped(keys) + triggers_of(keys) + triggers_of(plans_with(append_plan)) +
         triggers_of(users_with(append_user));
}

namespace {

/// Of all tables but that of signing keys.
std::string anew(int schema) {
  std::string all;
  for (Recorded rows :
       {keys_with(append_key_with_rules), plans_with(append_plan_with_rules), users_with(append_user_with_readers)}) {
    rows.schema = schema;
    all += dropped(rows) + triggers_of(rows);
  }
  return all;
}

// What a person's erasure may change in the log: nothing but what names the person.
constexpr const char* changes_stay_but_erased = R"sql(
DROP TRIGGER changes_stay;
CREATE TRIGGER changes_stay BEFORE UPDATE ON changes
  WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'erasing')
    OR NEW.seq IS NOT OLD.seq OR NEW.nonce IS NOT OLD.nonce OR NEW.at IS NOT OLD.at OR NEW.action IS NOT OLD.action
    OR NEW.key_id IS NOT OLD.key_id OR NEW.role IS NOT OLD.role
    OR NEW.requests_per_minute IS NOT OLD.requests_per_minute OR NEW.issued_at IS NOT OLD.issued_at
    OR NEW.previous_issued_at IS NOT OLD.previous_issued_at
    OR NEW.previous_valid_until IS NOT OLD.previous_valid_until OR NEW.expires_at IS NOT OLD.expires_at
    OR NEW.disabled IS NOT OLD.disabled OR NEW.deleted IS NOT OLD.deleted OR NEW.created_at IS NOT OLD.created_at
    OR NEW.kid IS NOT OLD.kid OR NEW.public_key IS NOT OLD.public_key OR NEW.state IS NOT OLD.state
    OR NEW.kind IS NOT OLD.kind OR NEW.plan IS NOT OLD.plan OR NEW.limits IS NOT OLD.limits
    OR NEW.description IS NOT OLD.description OR NEW.scopes IS NOT OLD.scopes OR NEW.networks IS NOT OLD.networks
    OR NEW.labels IS NOT OLD.labels
  BEGIN SELECT RAISE(ABORT, 'changes is append-only'); END;
)sql";

}  // namespace

std::string triggers_of_schema_4() { return anew(4); }

std::string triggers_of_schema_5() { return changes_stay_but_erased + anew(5); }

std::string triggers_of_schema_6() { return anew(6); }

}  // namespace latchkey::store
