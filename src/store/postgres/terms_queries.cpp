#include "store/postgres/terms_queries.hpp"

#include <fmt/format.h>

#include "store/postgres/rows.hpp"

namespace latchkey::store::postgres {
namespace {

Plan plan_in(const Row& row) { return read_plan(row, plan_columns_at); }
User user_in(const Row& row) { return read_user(row, user_columns_at); }

template <class T>
Result<std::vector<T>> read_named(const Result<Rows>& rows, T (*read)(const Row&)) {
  if (!rows) return rows.error();
  std::vector<T> values;
  for (int i = 0; i < rows->count(); ++i) values.push_back(read((*rows)[i]));
  return values;
}

template <class T>
Result<std::optional<T>> find_named(Connection& connection, const std::string& sql, std::string_view name,
                                    T (*read)(const Row&)) {
  // PostgreSQL's text has no NUL, and no name has.
  if (name.contains('\0')) return std::optional<T>();
  auto rows = read_named(connection.query(sql, Parameters().add(name)), read);
  if (!rows) return rows.error();
  return rows->empty() ? std::optional<T>() : std::optional<T>(std::move(rows->front()));
}

/// The page, and one row more where there is one.
template <class T>
Result<std::vector<T>> list_named(Connection& connection, const std::string& sql, const NamePageRequest& request,
                                  T (*read)(const Row&)) {
  const auto values = Parameters().add(request.after).add(static_cast<std::int64_t>(request.limit) + 1);
  return read_named(connection.query(sql, values), read);
}

constexpr std::string_view users_plan = "(SELECT u.plan FROM users u WHERE u.user_id = k.user_id AND NOT u.deleted)";

}  // namespace

Result<std::optional<Plan>> find_plan(Connection& connection, std::string_view name) {
  static const std::string sql = fmt::format("SELECT {} FROM plans WHERE name = $1", plan_columns);
  return find_named(connection, sql, name, plan_in);
}

Result<std::optional<User>> find_user(Connection& connection, std::string_view user_id) {
  static const std::string sql = fmt::format("SELECT {} FROM users WHERE user_id = $1", user_columns);
  return find_named(connection, sql, user_id, user_in);
}

Result<PlanPage> list_plans(Connection& connection, const NamePageRequest& request) {
  static const std::string sql =
      fmt::format("SELECT {} FROM plans WHERE name > $1 AND NOT deleted ORDER BY name LIMIT $2::bigint", plan_columns);
  auto plans = list_named(connection, sql, request, plan_in);
  if (!plans) return plans.error();
  const bool more = plans->size() > request.limit;
  if (more) plans->pop_back();
  return PlanPage{std::move(*plans), more};
}

Result<UserPage> list_users(Connection& connection, const NamePageRequest& request) {
  static const std::string sql = fmt::format(
      "SELECT {} FROM users WHERE user_id > $1 AND NOT deleted ORDER BY user_id LIMIT $2::bigint", user_columns);
  auto users = list_named(connection, sql, request, user_in);
  if (!users) return users.error();
  const bool more = users->size() > request.limit;
  if (more) users->pop_back();
  return UserPage{std::move(*users), more};
}

Result<PlanUses> plan_uses(Connection& connection, std::string_view name) {
  const auto rows = connection.query(
      "SELECT (SELECT count(*) FROM access_keys WHERE plan = $1 AND NOT deleted),"
      " (SELECT count(*) FROM users u JOIN access_keys k ON k.user_id = u.user_id AND NOT k.deleted AND k.plan IS NULL"
      "   WHERE u.plan = $1 AND NOT u.deleted),"
      " EXISTS (SELECT FROM users WHERE plan = $1 AND NOT deleted)",
      Parameters().add(name));
  if (!rows) return rows.error();
  const Row row = (*rows)[0];
  const auto own = static_cast<std::uint64_t>(row.integer(0));
  return PlanUses{own + static_cast<std::uint64_t>(row.integer(1)), own > 0, row.boolean(2)};
}

Result<bool> has_keys(Connection& connection, std::string_view user_id) {
  const auto rows = connection.query("SELECT EXISTS (SELECT FROM access_keys WHERE user_id = $1 AND NOT deleted)",
                                     Parameters().add(user_id));
  if (!rows) return rows.error();
  return (*rows)[0].boolean(0);
}

namespace {

Result<std::vector<KeyId>> key_ids_of(Connection& connection, const std::string& sql, const TermsScope& scope,
                                      std::size_t most) {
  const std::string name = scope.plan ? *scope.plan : scope.user_id.value_or("");
  const auto rows = connection.query(sql, Parameters().add(name).add(static_cast<std::int64_t>(most)));
  if (!rows) return rows.error();
  std::vector<KeyId> ids;
  for (int i = 0; i < rows->count(); ++i) {
    if (const auto id = KeyId::parse((*rows)[i].text(0))) ids.push_back(*id);
  }
  return ids;
}

std::string scope_column(const TermsScope& scope) {
  return scope.plan ? fmt::format("coalesce(k.plan, {})", users_plan) : "k.user_id";
}

}  // namespace

Result<std::vector<KeyId>> keys_without_limit(Connection& connection, const TermsScope& scope, std::size_t most) {
  const std::string sql = fmt::format(
      "SELECT k.key_id FROM access_keys k"
      " WHERE NOT k.deleted AND k.requests_per_minute IS NULL AND k.limits IS NULL AND {1} = $1"
      " AND NOT EXISTS (SELECT FROM users u WHERE u.user_id = k.user_id AND NOT u.deleted"
      "   AND json_array_length(u.limits) > 0)"
      " AND NOT EXISTS (SELECT FROM plans p WHERE p.name = coalesce(k.plan, {0}) AND NOT p.deleted"
      "   AND json_array_length(p.limits) > 0)"
      " ORDER BY k.key_id LIMIT $2::bigint",
      users_plan, scope_column(scope));
  return key_ids_of(connection, sql, scope, most);
}

// By name, as limits replace each other (key/in_force.hpp). A key that needs no limit has none in force.
Result<std::vector<KeyId>> keys_past_limits(Connection& connection, const TermsScope& scope, std::size_t most) {
  const std::string sql = fmt::format(
      "SELECT k.key_id FROM access_keys k WHERE NOT k.deleted AND {1} = $1"
      " AND (k.requests_per_minute IS NOT NULL OR k.limits IS NULL OR json_array_length(k.limits) > 0)"
      " AND (SELECT count(*) FROM ("
      "   SELECT l->>'name' FROM plans p, json_array_elements(p.limits) l"
      "     WHERE p.name = coalesce(k.plan, {0}) AND NOT p.deleted"
      "   UNION SELECT l->>'name' FROM users u, json_array_elements(u.limits) l"
      "     WHERE u.user_id = k.user_id AND NOT u.deleted"
      "   UNION SELECT l->>'name' FROM json_array_elements(k.limits) l"
      "   UNION SELECT '{2}' WHERE k.requests_per_minute IS NOT NULL) named) > {3}"
      " ORDER BY k.key_id LIMIT $2::bigint",
      users_plan, scope_column(scope), per_minute_name, max_limits);
  return key_ids_of(connection, sql, scope, most);
}

}  // namespace latchkey::store::postgres
