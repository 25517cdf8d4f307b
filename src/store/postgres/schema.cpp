#include "store/postgres/schema.hpp"

#include <fmt/format.h>

namespace latchkey::embedded {
extern const std::string_view postgres_schema;
}

namespace latchkey::store::postgres {
namespace {

// Of the database, not of a schema in it: held up to the commit.
constexpr const char* lock = "SELECT pg_advisory_xact_lock(x'4c4b6579'::bigint)";  // "LKey"

Result<void> check_ours(Connection& connection) {
  const auto version = connection.query("SELECT schema_version FROM meta");
  if (!version && connection.fault() != Fault::refused) return version.error();
  if (!version || version->count() != 1) {
    return Error(ErrorCode::conflict, "the database has a table \"meta\" that is not Latchkey's",
                 version ? "meta has not one row" : version.error().internal);
  }
  const std::int64_t found = (*version)[0].integer(0);
  if (found <= schema_version) return {};
  return Error(ErrorCode::conflict, "the database was written by a newer release of Latchkey",
               fmt::format("schema_version {}, this release knows {}", found, schema_version));
}

Result<void> create(Connection& connection) {
  auto made = connection.execute(std::string(embedded::postgres_schema));
  if (made || connection.fault() != Fault::refused) return made;
  return Error(ErrorCode::conflict, "the tables cannot be made in this database", made.error().internal);
}

Result<void> migrate_locked(Connection& connection) {
  if (auto locked = connection.execute(lock); !locked) return locked;
  const auto there = connection.query("SELECT to_regclass('meta') IS NOT NULL");
  if (!there) return there.error();
  return (*there)[0].boolean(0) ? check_ours(connection) : create(connection);
}

}  // namespace

Result<void> migrate(Connection& connection) {
  if (auto begun = connection.execute("BEGIN"); !begun) return begun;
  auto migrated = migrate_locked(connection);
  auto ended = connection.execute(migrated ? "COMMIT" : "ROLLBACK");
  return migrated ? ended : migrated;
}

}  // namespace latchkey::store::postgres
