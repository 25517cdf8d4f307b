#include "main/engines.hpp"

#include <filesystem>

#include "base/boot_id.hpp"
#include "base/log.hpp"
#include "feed/postgres/postgres_digest.hpp"
#include "feed/postgres/postgres_feed.hpp"
#include "feed/redis/redis_digest.hpp"
#include "feed/redis/redis_feed.hpp"
#include "feed/sqlite/sqlite_digest.hpp"
#include "feed/sqlite/sqlite_feed.hpp"
#include "limit/local/local_limiter.hpp"
#include "main/shared_limiter.hpp"
#include "redis/tls_client.hpp"
#include "relay/postgres/lineage.hpp"
#include "relay/redis/redis_stream.hpp"
#include "relay/redis/timelines.hpp"
#include "replica/joined_registry.hpp"
#include "replica/postgres/postgres_registry.hpp"
#include "replica/postgres/postgres_reporter.hpp"
#include "replica/redis/redis_reporter.hpp"
#include "replica/sqlite/sqlite_registry.hpp"
#include "replica/sqlite/sqlite_reporter.hpp"
#include "store/not_available.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace latchkey::engines {

using config::Settings;
using data_dir::DataDir;

namespace {

bool exists_or_unknown(const std::filesystem::path& path) {
  std::error_code unknown;
  return std::filesystem::exists(path, unknown) || unknown;
}

bool is_embedded(const Settings& settings) { return settings.store == "sqlite"; }

Result<void> check_redis(const std::string& url) {
  const auto address = redis::Address::parse(url);
  if (!address) return address.error();
  return address->tls ? redis::check_tls_files(*address->tls) : Result<void>();
}

}  // namespace

std::vector<FieldError> configuration_errors(const Settings& settings) {
  std::vector<FieldError> found;
  const auto note = [&](const char* setting, const auto& read) {
    if (!read) found.push_back({setting, read.error().detail});
  };
  if (settings.stream != "none") note("stream", check_redis(settings.stream));
  if (settings.limiter != "local") note("limiter", check_redis(settings.limiter));
  if (!is_embedded(settings)) note("store", store::check_postgres_url(settings.store));
  return found;
}

Result<void> check(const Settings& settings) {
  const auto found = configuration_errors(settings);
  if (found.empty()) return {};
  return Error(ErrorCode::invalid, found.front().pointer + ": " + found.front().detail);
}

namespace {

/// A file that was lost must not come back as an empty one without a word. Asked by name only, never opened.
void warn_of_lost_database(const DataDir& data) {
  std::error_code none;
  const auto size = std::filesystem::file_size(data.database(), none);
  if (!none && size > 0) return;
  if (std::filesystem::is_empty(data.signing_keys(), none)) return;
  log_warning("{} is gone or empty although there are signing keys: a new database is made, which knows no access key",
              data.database().string());
}

}  // namespace

Result<std::unique_ptr<store::KeyStore>> open_store(const Settings& settings, const DataDir& data, Clock& clock,
                                                    Random& random) {
  if (!is_embedded(settings)) return store::open_postgres(settings.store, clock);
  warn_of_lost_database(data);
  return store::open_sqlite(data.database(), clock, random);
}

bool is_away(const Settings& settings, const Error& error) {
  return !is_embedded(settings) && error.detail == store::not_available;
}

commands::Sharing sharing(const Settings& settings) {
  return is_embedded(settings) ? commands::Sharing::sole : commands::Sharing::shared;
}

Result<std::unique_ptr<feed::ChangeFeed>> open_store_feed(const Settings& settings, const DataDir& data, Clock& clock) {
  if (!is_embedded(settings)) return feed::open_postgres_feed(settings.store, clock);
  return std::make_unique<feed::SqliteFeed>(data.database(), clock);
}

Result<std::unique_ptr<feed::ChangeFeed>> open_feed(const Settings& settings, const DataDir& data, Clock& clock) {
  if (settings.stream == "none") return open_store_feed(settings, data, clock);
  const auto address = redis::Address::parse(settings.stream);
  if (!address) return address.error();
  return std::make_unique<feed::RedisFeed>(*address, clock);
}

Result<std::unique_ptr<feed::DigestSource>> open_store_digest(const Settings& settings, const DataDir& data) {
  if (is_embedded(settings)) return std::make_unique<feed::SqliteDigest>(data.database());
  auto url = store::postgres::Url::parse(settings.store);
  if (!url) return url.error();
  return std::make_unique<feed::PostgresDigest>(std::move(*url));
}

Result<std::unique_ptr<feed::DigestSource>> open_digest(const Settings& settings, const DataDir& data,
                                                        const Clock& clock) {
  if (settings.stream == "none") return open_store_digest(settings, data);
  const auto address = redis::Address::parse(settings.stream);
  if (!address) return address.error();
  return std::make_unique<feed::RedisDigest>(*address, clock);
}

Result<std::unique_ptr<relay::DigestDesk>> open_desk(const Settings& settings, feed::DigestSource& store,
                                                     const Clock& clock, relay::DigestDesk::FollowedEpoch followed) {
  const auto address = redis::Address::parse(settings.stream);
  if (!address) return address.error();
  return std::make_unique<relay::DigestDesk>(*address, store, clock, std::move(followed));
}

std::string source_of(const Settings& settings, const DataDir& data) {
  if (const auto address = redis::Address::parse(settings.stream)) return "redis " + address->to_string();
  return is_embedded(settings) ? std::filesystem::absolute(data.database()).string()
                               : store::postgres_place(settings.store);
}

Result<std::unique_ptr<relay::Stream>> open_stream(const Settings& settings, Clock& clock) {
  if (settings.stream == "none") {
    return Error(ErrorCode::invalid, "a relay needs a stream to write to: set stream to a redis:// URL");
  }
  const auto address = redis::Address::parse(settings.stream);
  if (!address) return address.error();
  auto stream = std::make_unique<relay::RedisStream>(*address, clock);
  if (is_embedded(settings)) return stream;
  auto url = store::postgres::Url::parse(settings.store);
  if (!url) return url.error();
  auto lineage = std::make_shared<relay::PostgresLineage>(std::move(*url));
  auto timelines = std::make_shared<relay::RedisTimelines>(*address, clock);
  return std::make_unique<relay::SucceedingStream>(
      std::move(stream), [lineage] { return lineage->read(); },
      [timelines](const relay::Lineage& own) { return timelines->claim(own); });
}

namespace {

void export_limiter(Metrics& metrics, const limit::LocalLimiter& limiter) {
  const auto gauge = [&](const char* name, const char* help, auto read) {
    metrics.add_gauge(name, help, [&limiter, read] { return static_cast<double>(read(limiter)); });
  };
  gauge("latchkey_limiter_keys", "Keys with remembered permits.", [](auto& l) { return l.size().keys; });
  gauge("latchkey_limiter_blocks", "Room for keys, of 320 bytes each.", [](auto& l) { return l.size().blocks; });
  gauge("latchkey_limiter_survives_restart", "0: the disk had no room, so the next start refuses for a minute.",
        [](auto& l) { return l.survives_restart(); });
  gauge("latchkey_limiter_counters", "Counters in use, of keys and users.", [](auto& l) { return l.room().taken(); });
  gauge("latchkey_limiter_max_counters", "LATCHKEY_LIMITER_MAX_COUNTERS: one that finds no room is refused.",
        [](auto& l) { return l.room().most(); });
  gauge("latchkey_limiter_long_counters", "Of them those that outlive a reboot.",
        [](auto& l) { return l.long_counters(); });
  gauge("latchkey_limiter_ledger_writable", "0: what must outlive a reboot cannot be written: 503 under such limits.",
        [](auto& l) { return l.ledger_is_healthy(); });
  gauge("latchkey_limiter_unknown_past_seconds", "How much longer every key counts as used up.",
        [](auto& l) { return l.seconds_of_unknown_past(); });
}

/// What long windows and periods have used. To begin anew where it cannot be read would be to forget what was admitted.
Result<limit::LongTerm> open_ledger(const DataDir& data) {
  auto ledger = limit::LongTerm::open(limit::ledger_file(data.limits_ledger()), BootId::current());
  if (!ledger) {
    Error error = ledger.error();
    error.detail +=
        "; it holds what day, month and other long limits have used: mend its permissions or its disk, or "
        "move it away, which makes them begin anew";
    return error;
  }
  if (ledger->content.unreadable > 0) {
    log_warning("limits: {} of {} records in {} could not be read and were skipped", ledger->content.unreadable,
                ledger->content.unreadable + ledger->content.records, data.limits_ledger().string());
  }
  return ledger;
}

}  // namespace

Result<std::unique_ptr<limit::RateLimiter>> open_limiter(const Settings& settings, const DataDir& data, bool ran_before,
                                                         const Clock& clock, Metrics& metrics) {
  if (settings.limiter != "local") return open_shared_limiter(settings, clock, metrics);
  const auto prior_run = ran_before ? limit::PriorRun::possible : limit::PriorRun::none;
  auto file = limit::LimitFile::open(data.limits(), BootId::current(), clock, prior_run);
  if (!file) return file.error();
  auto ledger = open_ledger(data);
  if (!ledger) return ledger.error();
  auto limiter =
      std::make_unique<limit::LocalLimiter>(clock, std::move(*file), std::move(*ledger), settings.limiter_max_counters);
  if (const auto why = limiter->why_past_is_unknown(); !why.empty()) {
    log_warning("limits: {} is no memory of the past minute ({}): until it has passed, every key counts as used up",
                data.limits().string(), why);
  }
  export_limiter(metrics, *limiter);
  return limiter;
}

Result<std::unique_ptr<replica::ReplicaRegistry>> open_registry(const Settings& settings, const DataDir& data,
                                                                const Clock& clock) {
  if (!is_embedded(settings)) {
    auto url = store::postgres::Url::parse(settings.store);
    if (!url) return url.error();
    return std::make_unique<replica::PostgresRegistry>(std::move(*url), clock, settings.max_staleness);
  }
  // `latchkey up` gives both services the same settings: with a stream, its own replica reports over that as well.
  const bool direct = settings.stream == "none";
  const auto a_relay_ran = [data] {
    return exists_or_unknown(data.relayed()) || exists_or_unknown(data.relayed_replicas());
  };
  auto own = std::make_unique<replica::SqliteRegistry>(
      replica::SqliteRegistryConfig{data.replicas(), BootId::current().text, settings.max_staleness,
                                    [data, direct] { return direct && data.runs(data_dir::Service::tokens); },
                                    [data, direct] { return direct && data.ever_ran(data_dir::Service::tokens); }},
      clock);
  auto relayed = std::make_unique<replica::SqliteRegistry>(
      replica::SqliteRegistryConfig{data.relayed_replicas(), BootId::current().text, settings.max_staleness,
                                    [] { return false; }, a_relay_ran},
      clock);
  return std::make_unique<replica::JoinedRegistry>(std::move(own), std::move(relayed), a_relay_ran, clock,
                                                   settings.max_staleness);
}

namespace {

Result<std::unique_ptr<replica::ReplicaReporter>> open_postgres_reporter(const Settings& settings,
                                                                         replica::PostgresReporter::Scope scope) {
  auto url = store::postgres::Url::parse(settings.store);
  if (!url) return url.error();
  return std::make_unique<replica::PostgresReporter>(std::move(*url), scope);
}

using Scope = replica::PostgresReporter::Scope;

/// One that cannot be made now is made later, as one that is not the first.
void make_report_file(const std::filesystem::path& path, bool first, const Clock& clock) {
  const auto made = replica::make_report_file(path, {BootId::current().text, clock.boot(), first});
  if (!made)
    log_warning("replicas: cannot make {} yet: {} {}", path.string(), made.error().detail, made.error().internal);
}

}  // namespace

void prepare_reports(const Settings& settings, const DataDir& data, bool ran_before, const Clock& clock) {
  if (is_embedded(settings) && settings.stream == "none") make_report_file(data.replicas(), !ran_before, clock);
}

void prepare_reports_of_stream(const Settings& settings, const DataDir& data, const Clock& clock) {
  if (is_embedded(settings)) make_report_file(data.relayed_replicas(), !exists_or_unknown(data.relayed()), clock);
}

Result<std::unique_ptr<replica::ReplicaReporter>> open_reporter(const Settings& settings, const DataDir& data,
                                                                const std::string& lock, const Clock& clock) {
  if (settings.stream != "none") {
    const auto address = redis::Address::parse(settings.stream);
    if (!address) return address.error();
    return std::make_unique<replica::RedisReporter>(*address, clock);
  }
  if (!is_embedded(settings)) return open_postgres_reporter(settings, Scope::one_replica);
  return std::make_unique<replica::SqliteReporter>(
      replica::SqliteReporterConfig{data.replicas(), BootId::current().text, replica::Reporting::one_replica, lock},
      clock);
}

Result<ReportsOfStream> open_reports_of_stream(const Settings& settings, const DataDir& data, const Clock& clock,
                                               replica::ReportDrain::FollowedEpoch followed) {
  const auto address = redis::Address::parse(settings.stream);
  if (!address) return address.error();
  ReportsOfStream reports;
  if (is_embedded(settings)) {
    reports.registry = std::make_unique<replica::SqliteReporter>(
        replica::SqliteReporterConfig{data.relayed_replicas(), BootId::current().text, replica::Reporting::many},
        clock);
  } else {
    auto registry = open_postgres_reporter(settings, Scope::many);
    if (!registry) return registry.error();
    reports.registry = std::move(*registry);
  }
  reports.drain = std::make_unique<replica::ReportDrain>(*address, *reports.registry, clock, std::move(followed));
  return reports;
}

}  // namespace latchkey::engines
