#include "store/postgres/queries.hpp"

#include <fmt/format.h>

#include "store/postgres/life.hpp"
#include "store/postgres/rows.hpp"

namespace latchkey::store::postgres {
namespace {

/// Every row by `read`, or the first failure.
template <class Read>
auto read_all(const Result<Rows>& rows, Read read)
    -> Result<std::vector<typename decltype(read((*rows)[0]))::value_type>> {
  if (!rows) return rows.error();
  std::vector<typename decltype(read((*rows)[0]))::value_type> values;
  for (int i = 0; i < rows->count(); ++i) {
    auto value = read((*rows)[i]);
    if (!value) return value.error();
    values.push_back(std::move(*value));
  }
  return values;
}

std::string_view status_condition(KeyStatus status) {
  switch (status) {
    case KeyStatus::active:
      return " AND NOT deleted AND NOT disabled AND (expires_at IS NULL OR expires_at > $2)";
    case KeyStatus::expired:
      return " AND NOT deleted AND NOT disabled AND expires_at <= $2";
    case KeyStatus::disabled:
      return " AND NOT deleted AND disabled";
    case KeyStatus::deleted:
      return " AND deleted";
  }
  return "";
}

// One statement for each combination of filters, so that the planner sees the conditions of the partial indexes. The
// parameters are all there in each; `$2 IS NOT NULL` and the like only give them their types.
std::string list_sql(std::string_view columns, const KeyFilter& filter, KeyOrder order) {
  const bool newest = order == KeyOrder::newest_first;
  std::string sql = fmt::format(
      "SELECT {} FROM access_keys WHERE key_id {} $1 AND $2::bigint IS NOT NULL"
      " AND $3::text IS NOT NULL AND $4::text IS NOT NULL AND $6::bigint IS NOT NULL",
      columns, newest ? '<' : '>');
  if (filter.user_id) sql += " AND user_id = $3";
  if (filter.status) sql += status_condition(*filter.status);
  // In the "C" collation lower() knows ASCII only.
  if (filter.name && !filter.name->empty()) {
    sql += " AND name <> '' AND position(lower($4 COLLATE \"C\") IN lower(name COLLATE \"C\")) > 0";
  }
  if (filter.never_expires) sql += " AND expires_at IS NULL";
  if (filter.expires_before) sql += " AND expires_at < $6";
  if (filter.without_deleted) sql += " AND NOT deleted";
  sql += selector_condition(filter.selector, 7);
  return sql + (newest ? " ORDER BY key_id DESC LIMIT $5::bigint" : " ORDER BY key_id LIMIT $5::bigint");
}

}  // namespace

std::string selector_condition(const Selector& selector, int first) {
  std::string sql = wants_labels(selector) ? " AND labels IS NOT NULL" : "";
  for (const auto& requirement : selector) {
    const std::string value = fmt::format("labels ->> ${}::text", first);
    const std::string compared = fmt::format("${}::text", first + 1);
    switch (requirement.condition) {
      case LabelCondition::equals:
        sql += fmt::format(" AND {} = {}", value, compared);
        break;
      case LabelCondition::differs:
        sql += fmt::format(" AND {} <> {}", value, compared);
        break;
      case LabelCondition::present:
        sql += fmt::format(" AND {} IS NOT NULL AND {} IS NOT NULL", value, compared);
        break;
      case LabelCondition::absent:
        sql += fmt::format(" AND (labels IS NULL OR {} IS NULL) AND {} IS NOT NULL", value, compared);
        break;
    }
    first += 2;
  }
  return sql;
}

Result<std::optional<AccessKey>> find_key(Connection& connection, KeyId id) {
  static const std::string sql = fmt::format("SELECT {} FROM access_keys WHERE key_id = $1", key_columns);
  auto keys = read_all(connection.query(sql, Parameters().add(id.to_string())),
                       [](const Row& row) { return read_access_key(row); });
  if (!keys) return keys.error();
  if (keys->empty()) return std::optional<AccessKey>();
  return std::optional<AccessKey>(std::move(keys->front()));
}

Result<std::vector<SigningKey>> signing_keys(Connection& connection) {
  static const std::string sql = fmt::format("SELECT {} FROM signing_keys ORDER BY kid", signing_key_columns);
  return read_all(connection.query(sql), read_signing_key);
}

Result<std::vector<Change>> changes_after(Connection& connection, Seq after, std::size_t limit) {
  static const std::string sql =
      fmt::format("SELECT {} FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2", change_columns);
  const auto values = Parameters().add(static_cast<std::int64_t>(after.value)).add(static_cast<std::int64_t>(limit));
  return read_all(connection.query(sql, values), [](const Row& row) { return read_change(row); });
}

Result<Position> position(Connection& connection) {
  const auto end = log_end(connection);
  if (!end) return end.error();
  return end->position;
}

namespace {

/// The rows of the page, and one row more where there is one.
Result<Rows> list(Connection& connection, std::string_view columns, const KeyPageRequest& request) {
  Parameters values;
  // The largest or smallest id bounds the first page, so that one statement serves first and later pages.
  const bool newest = request.order == KeyOrder::newest_first;
  const char* first = newest ? "ffffffff-ffff-ffff-ffff-ffffffffffff" : "00000000-0000-0000-0000-000000000000";
  values.add(request.after ? request.after->to_string() : first);
  values.add(request.now.count).add(request.filter.user_id.value_or("")).add(request.filter.name.value_or(""));
  values.add(static_cast<std::int64_t>(request.limit) + 1);
  values.add(request.filter.expires_before.value_or(UnixMillis()).count);
  for (const auto& requirement : request.filter.selector) values.add(requirement.name).add(requirement.value);
  return connection.query(list_sql(columns, request.filter, request.order), values);
}

Result<KeyId> read_key_id(const Row& row) {
  const auto id = KeyId::parse(row.text(0));
  if (!id) return Error(ErrorCode::internal, "the database holds a broken row", "access_keys: an id that is none");
  return *id;
}

}  // namespace

Result<KeyPage> list_keys(Connection& connection, const KeyPageRequest& request) {
  auto keys = read_all(list(connection, key_columns, request), [](const Row& row) { return read_access_key(row); });
  if (!keys) return keys.error();
  KeyPage page;
  page.more = keys->size() > request.limit;
  if (page.more) keys->pop_back();
  page.keys = std::move(*keys);
  return page;
}

Result<std::vector<KeyId>> list_key_ids(Connection& connection, const KeyPageRequest& request) {
  auto ids = read_all(list(connection, "key_id", request), read_key_id);
  if (ids && ids->size() > request.limit) ids->pop_back();
  return ids;
}

}  // namespace latchkey::store::postgres
