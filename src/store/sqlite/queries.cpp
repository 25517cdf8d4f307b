#include "store/sqlite/queries.hpp"

#include <fmt/format.h>

#include "store/sqlite/rows.hpp"

namespace latchkey::store {
namespace {

/// Every row of `statement` by `read`, or the first failure.
template <class T>
Result<std::vector<T>> read_all(Database& database, Statement& statement, Result<T> (*read)(const Statement&)) {
  std::vector<T> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step()) {
    auto row = read(statement);
    if (!row) return row.error();
    rows.push_back(std::move(*row));
  }
  if (code != SQLITE_DONE) return database.error(code);
  return rows;
}

std::string_view status_condition(KeyStatus status) {
  switch (status) {
    case KeyStatus::active:
      return " AND deleted = 0 AND disabled = 0 AND (expires_at IS NULL OR expires_at > ?3)";
    case KeyStatus::expired:
      return " AND deleted = 0 AND disabled = 0 AND expires_at <= ?3";
    case KeyStatus::disabled:
      return " AND deleted = 0 AND disabled = 1";
    case KeyStatus::deleted:
      return " AND deleted = 1";
  }
  return "";
}

std::string_view index_of(const KeyFilter& filter) {
  if (filter.user_id) return " INDEXED BY access_keys_user";
  if (wants_labels(filter.selector)) return " INDEXED BY access_keys_labelled";
  if (!filter.status) return filter.name && !filter.name->empty() ? " INDEXED BY access_keys_named" : "";
  switch (*filter.status) {
    case KeyStatus::active:
    case KeyStatus::expired:
      return " INDEXED BY access_keys_live";
    case KeyStatus::disabled:
      return " INDEXED BY access_keys_disabled";
    case KeyStatus::deleted:
      return " INDEXED BY access_keys_deleted";
  }
  return "";
}

}  // namespace

Result<std::optional<AccessKey>> find_key(Database& database, KeyId id) {
  static const std::string sql = fmt::format("SELECT {} FROM access_keys WHERE key_id = ?", key_columns);
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  const std::string id_text = id.to_string();
  (*statement)->bind(1, id_text);
  auto rows = read_all(database, **statement, read_access_key);
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<AccessKey>();
  return std::optional<AccessKey>(std::move(rows->front()));
}

Result<std::vector<SigningKey>> signing_keys(Database& database) {
  static const std::string sql = fmt::format("SELECT {} FROM signing_keys ORDER BY kid", signing_key_columns);
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  return read_all(database, **statement, read_signing_key);
}

Result<std::vector<Change>> changes_after(Database& database, Seq after, std::size_t limit) {
  static const std::string sql =
      fmt::format("SELECT {} FROM changes WHERE seq > ? ORDER BY seq LIMIT ?", change_columns);
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  (*statement)->bind(1, static_cast<std::int64_t>(after.value)).bind(2, static_cast<std::int64_t>(limit));
  return read_all(database, **statement, read_change);
}

Result<LogEnd> log_end(Database& database) {
  auto statement = database.prepare(
      "SELECT m.value, e.seq, e.nonce FROM meta m"
      " LEFT JOIN (SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1) e WHERE m.name = 'epoch'");
  if (!statement) return statement.error();
  if (const int code = (*statement)->step(); code != SQLITE_ROW) return database.error(code);
  const auto epoch = parse_epoch((*statement)->text(0));
  if (!epoch) return epoch.error();
  return LogEnd{{*epoch, static_cast<std::uint64_t>((*statement)->integer(1))},
                static_cast<std::uint64_t>((*statement)->integer(2))};
}

// The path of a label stands at parameter first + 2i, its value behind that.
std::string selector_condition(const Selector& selector, int first) {
  std::string sql = wants_labels(selector) ? " AND labels IS NOT NULL" : "";
  for (const auto& requirement : selector) {
    const std::string value = fmt::format("json_extract(labels, ?{})", first);
    switch (requirement.condition) {
      case LabelCondition::equals:
        sql += fmt::format(" AND {} = ?{}", value, first + 1);
        break;
      case LabelCondition::differs:
        sql += fmt::format(" AND {} <> ?{}", value, first + 1);
        break;
      case LabelCondition::present:
        sql += fmt::format(" AND {} IS NOT NULL", value);
        break;
      case LabelCondition::absent:
        sql += fmt::format(" AND (labels IS NULL OR {} IS NULL)", value);
        break;
    }
    first += 2;
  }
  return sql;
}

// Names of labels have no quotes.
std::vector<std::string> paths_of(const Selector& selector) {
  std::vector<std::string> paths;
  for (const auto& requirement : selector) paths.push_back(fmt::format("$.\"{}\"", requirement.name));
  return paths;
}

void bind_selector(Statement& statement, const Selector& selector, const std::vector<std::string>& paths, int first) {
  for (std::size_t i = 0; i < selector.size(); ++i, first += 2) {
    statement.bind(first, paths[i]);
    if (has_value(selector[i])) statement.bind(first + 1, selector[i].value);
  }
}

namespace {

constexpr int selector_parameter = 7;

std::string list_sql(std::string_view columns, const KeyFilter& filter, KeyOrder order) {
  const bool newest = order == KeyOrder::newest_first;
  std::string sql =
      fmt::format("SELECT {} FROM access_keys{} WHERE key_id {} ?1", columns, index_of(filter), newest ? '<' : '>');
  if (filter.user_id) sql += " AND user_id = ?2";
  if (filter.status) sql += status_condition(*filter.status);
  if (filter.name && !filter.name->empty()) sql += " AND name <> '' AND instr(lower(name), lower(?4)) > 0";
  if (filter.never_expires) sql += " AND expires_at IS NULL";
  if (filter.expires_before) sql += " AND expires_at < ?6";
  if (filter.without_deleted) sql += " AND deleted = 0";
  sql += selector_condition(filter.selector, selector_parameter);
  return sql + (newest ? " ORDER BY key_id DESC LIMIT ?5" : " ORDER BY key_id LIMIT ?5");
}

/// The rows of the page, and one row more where there is one.
template <class T>
Result<std::vector<T>> list(Database& database, std::string_view columns, const KeyPageRequest& request,
                            Result<T> (*read)(const Statement&)) {
  auto statement = database.prepare(list_sql(columns, request.filter, request.order));
  if (!statement) return statement.error();
  // "~" sorts after every key id and "" before each, so one statement serves first and later pages.
  const std::string first = request.order == KeyOrder::newest_first ? "~" : "";
  const std::string after = request.after ? request.after->to_string() : first;
  Statement& rows = **statement;
  rows.bind(1, after).bind(3, request.now.count).bind(5, static_cast<std::int64_t>(request.limit) + 1);
  if (request.filter.user_id) rows.bind(2, *request.filter.user_id);
  if (request.filter.name) rows.bind(4, *request.filter.name);
  if (request.filter.expires_before) rows.bind(6, request.filter.expires_before->count);
  const auto paths = paths_of(request.filter.selector);
  bind_selector(rows, request.filter.selector, paths, selector_parameter);
  return read_all(database, rows, read);
}

Result<KeyId> read_key_id(const Statement& row) {
  const auto id = KeyId::parse(row.text(0));
  if (!id) return Error(ErrorCode::internal, "the database holds a broken row", "access_keys: an id that is none");
  return *id;
}

}  // namespace

std::string list_keys_sql(const KeyFilter& filter, KeyOrder order) { return list_sql(key_columns, filter, order); }

Result<KeyPage> list_keys(Database& database, const KeyPageRequest& request) {
  auto rows = list(database, key_columns, request, read_access_key);
  if (!rows) return rows.error();
  KeyPage page;
  page.more = rows->size() > request.limit;
  if (page.more) rows->pop_back();
  page.keys = std::move(*rows);
  return page;
}

Result<std::vector<KeyId>> list_key_ids(Database& database, const KeyPageRequest& request) {
  auto ids = list(database, "key_id", request, read_key_id);
  if (ids && ids->size() > request.limit) ids->pop_back();
  return ids;
}

}  // namespace latchkey::store
