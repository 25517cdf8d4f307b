#include "main/usage_engines.hpp"

#include "store/postgres/postgres_store.hpp"
#include "usage/postgres/postgres_usage.hpp"
#include "usage/redis/redis_usage_sink.hpp"
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

Result<std::unique_ptr<usage::UsageSink>> open_usage_store(const Settings& settings, const DataDir& data,
                                                           const Clock& clock, UsageStore::Writers writers) {
  auto database = open_database(settings, data, store::Access::write);
  if (!database) return database.error();
  return std::make_unique<UsageStore>(std::move(*database), clock, retention_of(settings), writers);
}

}  // namespace

Result<std::unique_ptr<usage::UsageSink>> open_usage_sink(const Settings& settings, const DataDir& data,
                                                          const Clock& clock) {
  if (settings.stream != "none") {
    const auto address = redis::Address::parse(settings.stream);
    if (!address) return address.error();
    return std::make_unique<usage::RedisUsageSink>(*address, clock);
  }
  const bool sole = settings.store == "sqlite";
  return open_usage_store(settings, data, clock, sole ? UsageStore::Writers::one_replica : UsageStore::Writers::many);
}

Result<UsageOfStream> open_usage_of_stream(const Settings& settings, const DataDir& data, const Clock& clock,
                                           std::function<bool()> follows) {
  const auto address = redis::Address::parse(settings.stream);
  if (!address) return address.error();
  auto store = open_usage_store(settings, data, clock, UsageStore::Writers::many);
  if (!store) return store.error();
  UsageOfStream usage{std::move(*store), nullptr};
  usage.drain = std::make_unique<usage::UsageDrain>(*address, *usage.store, clock, std::move(follows));
  return usage;
}

Result<std::unique_ptr<usage::UsageReader>> open_usage_reader(const Settings& settings, const DataDir& data) {
  auto sums = open_database(settings, data, store::Access::read);
  auto rows = open_database(settings, data, store::Access::read);
  if (!sums || !rows) return (sums ? rows : sums).error();
  return std::make_unique<usage::UsageReader>(std::move(*sums), std::move(*rows));
}

}  // namespace latchkey::engines
