#include "usage/postgres/postgres_usage.hpp"

#include <fmt/format.h>

#include "store/not_made.hpp"

namespace latchkey::usage {
namespace {

using store::postgres::Connection;
using store::postgres::Parameters;

constexpr std::int64_t postgres_usage_version = 1;

// Writers of usage take turns, so that none meets another in the same rows; and so does what makes the tables.
constexpr const char* usage_lock = "SELECT pg_advisory_xact_lock(x'4c557367'::bigint)";  // "LUsg"

/// Times ascend in the order of arrival, so a BRIN index of a few pages finds those of one moment.
constexpr const char* postgres_tables = R"sql(
CREATE TABLE IF NOT EXISTS usage_schema (one integer PRIMARY KEY CHECK (one = 1), version integer NOT NULL);
CREATE TABLE IF NOT EXISTS usage_keys (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key_id text NOT NULL UNIQUE, user_id text NOT NULL,
  last_used_at bigint, last_address text);
CREATE INDEX IF NOT EXISTS usage_keys_by_user ON usage_keys (user_id);
CREATE TABLE IF NOT EXISTS usage_names (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS usage_minutes (count bigint NOT NULL, cost bigint NOT NULL, key integer, time integer,
  plan integer, outcome integer, PRIMARY KEY (key, time, plan, outcome));
CREATE TABLE IF NOT EXISTS usage_hours (count bigint NOT NULL, cost bigint NOT NULL, key integer, time integer,
  plan integer, outcome integer, PRIMARY KEY (key, time, plan, outcome));
CREATE TABLE IF NOT EXISTS usage_days (count bigint NOT NULL, cost bigint NOT NULL, key integer, time integer,
  plan integer, outcome integer, PRIMARY KEY (key, time, plan, outcome));
CREATE INDEX IF NOT EXISTS usage_minutes_by_time ON usage_minutes USING brin (time) WITH (pages_per_range = 16);
CREATE INDEX IF NOT EXISTS usage_hours_by_time ON usage_hours USING brin (time) WITH (pages_per_range = 16);
CREATE INDEX IF NOT EXISTS usage_days_by_time ON usage_days USING brin (time) WITH (pages_per_range = 16);
CREATE TABLE IF NOT EXISTS usage_writers (
  writer text PRIMARY KEY, seq bigint NOT NULL, covered_until bigint NOT NULL, state integer NOT NULL);
CREATE TABLE IF NOT EXISTS usage_kept (resolution integer PRIMARY KEY, since bigint NOT NULL);
CREATE TABLE IF NOT EXISTS usage_refusals (
  id text PRIMARY KEY, at bigint NOT NULL, key_id text NOT NULL, reason text NOT NULL, limits text NOT NULL,
  rule text NOT NULL, position text NOT NULL, network text NOT NULL, sampled integer NOT NULL, writer text NOT NULL);
CREATE INDEX IF NOT EXISTS usage_refusals_by_writer ON usage_refusals (writer, at);
CREATE INDEX IF NOT EXISTS usage_refusals_by_time ON usage_refusals (at);
INSERT INTO usage_schema (one, version) VALUES (1, 1) ON CONFLICT (one) DO NOTHING;
)sql";

Result<bool> are_there(Connection& connection) {
  const auto there = connection.query("SELECT to_regclass('usage_schema') IS NOT NULL");
  if (!there) return there.error();
  return (*there)[0].boolean(0);
}

Result<void> make_tables(Connection& connection) {
  const auto there = are_there(connection);
  if (!there) return there.error();
  if (*there) return {};
  if (auto begun = connection.execute(std::string("BEGIN; ") + usage_lock); !begun) return begun;
  auto made = connection.execute(postgres_tables);
  auto ended = connection.execute(made ? "COMMIT" : "ROLLBACK");
  return made ? ended : made;
}

}  // namespace

PostgresUsage::PostgresUsage(store::postgres::Url url, Tables tables)
    : tables_(tables),
      link_(std::move(url), store::postgres::Server::primary, [this](Connection& opened) { return prepare(opened); }) {}

Result<void> PostgresUsage::prepare(Connection& opened) const {
  if (tables_ == Tables::make) {
    if (auto made = make_tables(opened); !made) return made;
  }
  const auto there = are_there(opened);
  if (!there) return there.error();
  if (!*there) {
    return Error(ErrorCode::not_found, "the tables of usage are not made yet", "the management service makes them");
  }
  const auto version = opened.query("SELECT version FROM usage_schema");
  if (!version) return version.error();
  if (version->count() == 1 && (*version)[0].integer(0) == postgres_usage_version) return {};
  return Error(ErrorCode::unavailable, "the tables of usage are another release's");
}

Result<void> PostgresUsage::ready() {
  const auto connection = link_.get();
  return connection ? Result<void>() : connection.error();
}

Result<void> PostgresUsage::begin() {
  in_transaction_ = true;
  return link_.current()->execute(std::string("BEGIN; ") + usage_lock);
}

Result<void> PostgresUsage::commit() {
  auto committed = link_.current()->execute("COMMIT");
  if (committed) in_transaction_ = false;
  return committed;
}

void PostgresUsage::give_up() {
  auto* const connection = link_.current();
  if (connection != nullptr && std::exchange(in_transaction_, false) && !connection->is_lost()) {
    static_cast<void>(connection->execute("ROLLBACK"));
  }
  link_.drop_if_lost();
}

Result<std::vector<Record>> PostgresUsage::query(std::string_view sql, std::span<const Parameter> parameters) {
  Parameters values;
  for (const auto& parameter : parameters) {
    std::visit([&](const auto& value) { values.add(value); }, parameter);
  }
  const auto rows = link_.current()->query(sql, values);
  if (!rows) return rows.error();
  std::vector<Record> records;
  for (int i = 0; i < rows->count(); ++i) {
    Record record;
    for (int column = 0; column < rows->columns(); ++column) {
      const auto row = (*rows)[i];
      record.push_back(row.is_null(column) ? Field() : Field(row.text(column)));
    }
    records.push_back(std::move(record));
  }
  return records;
}

std::string PostgresUsage::json_rows(std::string_view columns) const {
  return fmt::format("(SELECT * FROM json_to_recordset($1::json) AS r({}))", columns);
}

Result<std::int64_t> PostgresUsage::bytes() {
  const auto used = query(
      "SELECT sum(pg_total_relation_size(t)) FROM unnest(ARRAY['usage_minutes', 'usage_hours', 'usage_days',"
      " 'usage_keys', 'usage_refusals']::regclass[]) AS t");
  if (!used) return used.error();
  return integer_of(used->front()[0]);
}

}  // namespace latchkey::usage
