#include "main/usage_engines.hpp"

#include "store/postgres/postgres_store.hpp"
#include "usage/postgres/postgres_usage.hpp"
#include "usage/sqlite/sqlite_usage.hpp"

namespace latchkey::engines {
namespace {

using config::Settings;
using data_dir::DataDir;
using usage::UsageStore;

usage::Retention retention_of(const Settings& settings) {
  return {.minutes = settings.usage_keep_minutes,
          .hours = settings.usage_keep_hours,
          .days = settings.usage_keep_days,
          .max_bytes = static_cast<std::int64_t>(settings.usage_max_bytes)};
}

Result<std::unique_ptr<usage::UsageDatabase>> open_database(const Settings& settings, const DataDir& data,
                                                            store::Access access) {
  if (settings.store == "sqlite") return std::make_unique<usage::SqliteUsage>(data.usage(), access);
  auto url = store::postgres::Url::parse(settings.store);
  if (!url) return url.error();
  using Tables = usage::PostgresUsage::Tables;
  return std::make_unique<usage::PostgresUsage>(std::move(*url),
                                                access == store::Access::read ? Tables::make : Tables::use);
}

}  // namespace

Result<std::unique_ptr<usage::UsageSink>> open_usage_store(const Settings& settings, const DataDir& data,
                                                           const Clock& clock, UsageStore::Writers writers) {
  auto database = open_database(settings, data, store::Access::write);
  if (!database) return database.error();
  return std::make_unique<UsageStore>(std::move(*database), clock, retention_of(settings), writers);
}

Result<std::unique_ptr<usage::UsageSink>> open_usage_sink(const Settings& settings, const DataDir& data,
                                                          const Clock& clock) {
  const bool sole = settings.store == "sqlite";
  return open_usage_store(settings, data, clock, sole ? UsageStore::Writers::one_replica : UsageStore::Writers::many);
}

Result<std::unique_ptr<usage::UsageReader>> open_usage_reader(const Settings& settings, const DataDir& data) {
  auto database = open_database(settings, data, store::Access::read);
  if (!database) return database.error();
  return std::make_unique<usage::UsageReader>(std::move(*database));
}

}  // namespace latchkey::engines
