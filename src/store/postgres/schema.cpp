#include "store/postgres/schema.hpp"

#include <fmt/format.h>

#include <array>

#include "base/log.hpp"
#include "store/postgres/audit.hpp"
#include "store/postgres/life.hpp"

namespace latchkey::embedded {
extern const std::string_view postgres_schema_1;
extern const std::string_view postgres_schema_2;
extern const std::string_view postgres_schema_3;
extern const std::string_view postgres_schema_4;
extern const std::string_view postgres_schema_5;
extern const std::string_view postgres_schema_6;
}  // namespace latchkey::embedded

namespace latchkey::store::postgres {
namespace {

// Of the database, not of a schema in it: held up to the commit.
constexpr const char* lock = "SELECT pg_advisory_xact_lock(x'4c4b6579'::bigint)";  // "LKey"

/// The step to schema n is at n - 1.
const std::array<std::string_view, schema_version>& steps() {
  static const std::array<std::string_view, schema_version> all{
      embedded::postgres_schema_1, embedded::postgres_schema_2, embedded::postgres_schema_3,
      embedded::postgres_schema_4, embedded::postgres_schema_5, embedded::postgres_schema_6};
  return all;
}

/// The schema that the database has; 0: none.
Result<std::int64_t> found_schema(Connection& connection) {
  const auto there = connection.query("SELECT to_regclass('meta') IS NOT NULL");
  if (!there) return there.error();
  if (!(*there)[0].boolean(0)) return std::int64_t{0};
  const auto version = connection.query("SELECT schema_version FROM meta");
  if (!version && connection.fault() != Fault::refused) return version.error();
  if (!version || version->count() != 1) {
    return Error(ErrorCode::conflict, "the database has a table \"meta\" that is not Latchkey's",
                 version ? "meta has not one row" : version.error().internal);
  }
  const std::int64_t found = (*version)[0].integer(0);
  if (found >= 1 && found <= schema_version) return found;
  return Error(ErrorCode::conflict, "the database was written by a newer release of Latchkey",
               fmt::format("schema_version {}, this release knows {}", found, schema_version));
}

Result<void> take_steps_from(Connection& connection, std::int64_t found) {
  for (auto step = static_cast<std::size_t>(found); step < steps().size(); ++step) {
    auto taken = connection.execute(std::string(steps()[step]));
    if (taken) continue;
    if (connection.fault() != Fault::refused) return taken;
    return found == 0 ? Error(ErrorCode::conflict, "the tables cannot be made in this database", taken.error().internal)
                      : Error(ErrorCode::conflict, fmt::format("the database cannot be brought to schema {}", step + 1),
                              taken.error().internal);
  }
  if (found != 0 && found != schema_version)
    log_info("the database was brought from schema {} to {}", found, schema_version);
  return {};
}

Result<void> wake_triggers(Connection& connection) {
  const auto sleeping = sleeping_triggers(connection);
  if (!sleeping) return sleeping.error();
  if (sleeping->empty()) return {};
  log_warning(
      "triggers of the database were disabled, or not ENABLE ALWAYS, and are enabled again: {}. Rows that were changed "
      "meanwhile are in no change: replicas find them by their digest and load anew",
      *sleeping);
  return connection.execute("SELECT enable_triggers()");
}

Result<void> migrate_locked(Connection& connection) {
  if (auto locked = connection.execute(lock); !locked) return locked;
  const auto found = found_schema(connection);
  if (!found) return found.error();
  if (auto taken = take_steps_from(connection, *found); !taken) return taken;
  if (auto made = make_audit_tables(connection); !made) return made;
  if (auto woken = wake_triggers(connection); !woken) return woken;
  return make_home(connection);
}

}  // namespace

Result<std::string> sleeping_triggers(Connection& connection) {
  const auto rows = connection.query(
      "SELECT coalesce(string_agg(table_name || '.' || trigger_name, ', '), '') FROM sleeping_triggers()");
  if (!rows) return rows.error();
  return std::string((*rows)[0].text(0));
}

Result<void> migrate(Connection& connection) {
  if (auto begun = connection.execute("BEGIN"); !begun) return begun;
  auto migrated = migrate_locked(connection);
  auto ended = connection.execute(migrated ? "COMMIT" : "ROLLBACK");
  return migrated ? ended : migrated;
}

}  // namespace latchkey::store::postgres
