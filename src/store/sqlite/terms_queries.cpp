#include "store/sqlite/terms_queries.hpp"

#include <fmt/format.h>

#include "store/sqlite/rows.hpp"

namespace latchkey::store {
namespace {

Plan plan_in(const Statement& row) { return read_plan(row, plan_columns_at); }
User user_in(const Statement& row) { return read_user(row, user_columns_at); }

template <class T>
Result<std::vector<T>> read_named(Database& database, Statement& statement, T (*read)(const Statement&)) {
  std::vector<T> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step()) rows.push_back(read(statement));
  if (code != SQLITE_DONE) return database.error(code);
  return rows;
}

template <class T>
Result<std::optional<T>> find_named(Database& database, const std::string& sql, std::string_view name,
                                    T (*read)(const Statement&)) {
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  (*statement)->bind(1, name);
  auto rows = read_named(database, **statement, read);
  if (!rows) return rows.error();
  return rows->empty() ? std::optional<T>() : std::optional<T>(std::move(rows->front()));
}

/// The page, and one row more where there is one.
template <class T>
Result<std::vector<T>> list_named(Database& database, const std::string& sql, const NamePageRequest& request,
                                  T (*read)(const Statement&)) {
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  (*statement)->bind(1, request.after).bind(2, static_cast<std::int64_t>(request.limit) + 1);
  return read_named(database, **statement, read);
}

constexpr std::string_view users_plan = "(SELECT u.plan FROM users u WHERE u.user_id = k.user_id AND u.deleted = 0)";

}  // namespace

Result<std::optional<Plan>> find_plan(Database& database, std::string_view name) {
  static const std::string sql = fmt::format("SELECT {} FROM plans WHERE name = ?", plan_columns);
  return find_named(database, sql, name, plan_in);
}

Result<std::optional<User>> find_user(Database& database, std::string_view user_id) {
  static const std::string sql = fmt::format("SELECT {} FROM users WHERE user_id = ?", user_columns);
  return find_named(database, sql, user_id, user_in);
}

Result<PlanPage> list_plans(Database& database, const NamePageRequest& request) {
  static const std::string sql =
      fmt::format("SELECT {} FROM plans WHERE name > ? AND deleted = 0 ORDER BY name LIMIT ?", plan_columns);
  auto plans = list_named(database, sql, request, plan_in);
  if (!plans) return plans.error();
  const bool more = plans->size() > request.limit;
  if (more) plans->pop_back();
  return PlanPage{std::move(*plans), more};
}

Result<UserPage> list_users(Database& database, const NamePageRequest& request) {
  static const std::string sql =
      fmt::format("SELECT {} FROM users WHERE user_id > ? AND deleted = 0 ORDER BY user_id LIMIT ?", user_columns);
  auto users = list_named(database, sql, request, user_in);
  if (!users) return users.error();
  const bool more = users->size() > request.limit;
  if (more) users->pop_back();
  return UserPage{std::move(*users), more};
}

Result<PlanUses> plan_uses(Database& database, std::string_view name) {
  auto statement = database.prepare(
      "SELECT (SELECT count(*) FROM access_keys WHERE plan = ?1 AND deleted = 0),"
      " (SELECT count(*) FROM users u CROSS JOIN access_keys k ON k.user_id = u.user_id AND k.deleted = 0"
      "   AND k.plan IS NULL WHERE u.plan = ?1 AND u.deleted = 0),"
      " EXISTS (SELECT 1 FROM users WHERE plan = ?1 AND deleted = 0)");
  if (!statement) return statement.error();
  (*statement)->bind(1, name);
  if (const int code = (*statement)->step(); code != SQLITE_ROW) return database.error(code);
  const auto own = static_cast<std::uint64_t>((*statement)->integer(0));
  return PlanUses{own + static_cast<std::uint64_t>((*statement)->integer(1)), own > 0, (*statement)->integer(2) != 0};
}

Result<bool> has_keys(Database& database, std::string_view user_id) {
  auto statement = database.prepare("SELECT EXISTS (SELECT 1 FROM access_keys WHERE user_id = ? AND deleted = 0)");
  if (!statement) return statement.error();
  (*statement)->bind(1, user_id);
  if (const int code = (*statement)->step(); code != SQLITE_ROW) return database.error(code);
  return (*statement)->integer(0) != 0;
}

namespace {

Result<std::vector<KeyId>> key_ids_of(Database& database, const std::string& sql, const TermsScope& scope,
                                      std::size_t most) {
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  const std::string name = scope.plan ? *scope.plan : scope.user_id.value_or("");
  (*statement)->bind(1, name).bind(2, static_cast<std::int64_t>(most));
  std::vector<KeyId> ids;
  int code = (*statement)->step();
  for (; code == SQLITE_ROW; code = (*statement)->step()) {
    if (const auto id = KeyId::parse((*statement)->text(0))) ids.push_back(*id);
  }
  if (code != SQLITE_DONE) return database.error(code);
  return ids;
}

std::string scope_column(const TermsScope& scope) {
  return scope.plan ? fmt::format("coalesce(k.plan, {})", users_plan) : "k.user_id";
}

}  // namespace

Result<std::vector<KeyId>> keys_without_limit(Database& database, const TermsScope& scope, std::size_t most) {
  const std::string sql = fmt::format(
      "SELECT k.key_id FROM access_keys k INDEXED BY access_keys_inheriting"
      " WHERE k.deleted = 0 AND k.requests_per_minute IS NULL AND k.limits IS NULL AND {1} = ?1"
      " AND NOT EXISTS (SELECT 1 FROM users u WHERE u.user_id = k.user_id AND u.deleted = 0"
      "   AND json_array_length(u.limits) > 0)"
      " AND NOT EXISTS (SELECT 1 FROM plans p WHERE p.name = coalesce(k.plan, {0}) AND p.deleted = 0"
      "   AND json_array_length(p.limits) > 0)"
      " ORDER BY k.key_id LIMIT ?2",
      users_plan, scope_column(scope));
  return key_ids_of(database, sql, scope, most);
}

// By name, as limits replace each other (key/in_force.hpp). A key that needs no limit has none in force.
Result<std::vector<KeyId>> keys_past_limits(Database& database, const TermsScope& scope, std::size_t most) {
  const std::string sql = fmt::format(
      "SELECT k.key_id FROM access_keys k WHERE k.deleted = 0 AND {1} = ?1"
      " AND (k.requests_per_minute IS NOT NULL OR k.limits IS NULL OR json_array_length(k.limits) > 0)"
      " AND (SELECT count(*) FROM ("
      "   SELECT json_extract(l.value, '$.name') FROM plans p, json_each(p.limits) l"
      "     WHERE p.name = coalesce(k.plan, {0}) AND p.deleted = 0"
      "   UNION SELECT json_extract(l.value, '$.name') FROM users u, json_each(u.limits) l"
      "     WHERE u.user_id = k.user_id AND u.deleted = 0"
      "   UNION SELECT json_extract(l.value, '$.name') FROM json_each(k.limits) l"
      "   UNION SELECT '{2}' WHERE k.requests_per_minute IS NOT NULL)) > {3}"
      " ORDER BY k.key_id LIMIT ?2",
      users_plan, scope_column(scope), per_minute_name, max_limits);
  return key_ids_of(database, sql, scope, most);
}

}  // namespace latchkey::store
