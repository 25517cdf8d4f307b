// The parts list: the only file that names engines. Each service is assembled from the bottom up and stopped from the
// top down; everything between is behind an interface.

#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "access/access_check.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/worker_pool.hpp"
#include "catalog/catalog_holder.hpp"
#include "cli/admin_verifier.hpp"
#include "cli/cli.hpp"
#include "cli/data_dir.hpp"
#include "commands/key_ring.hpp"
#include "feed/sqlite/sqlite_feed.hpp"
#include "http/server.hpp"
#include "keys_service/keys_service.hpp"
#include "limit/local/local_limiter.hpp"
#include "report/request_log.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "tokens_service/tokens_service.hpp"
#include "view/projector.hpp"
#include "view/view.hpp"

namespace latchkey {
namespace {

using cli::DataDir;
using cli::Settings;

/// SIGTERM, SIGINT and SIGHUP, taken by sigwait() in the main thread: blocked before any other thread starts.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  /// Returns when asked to stop; calls `on_hangup` for each SIGHUP before that.
  void wait_for_stop(const std::function<void()>& on_hangup) const {
    int number = 0;
    while (sigwait(&set_, &number) == 0 && number == SIGHUP) on_hangup();
  }

 private:
  sigset_t set_{};
};

int fail(std::string_view doing, const Error& error) {
  log_error("{}: {}{}{}", doing, error.detail, error.internal.empty() ? "" : ": ", error.internal);
  return cli::exit_failed;
}

Result<void> check_engines(const Settings& settings) {
  if (settings.store == "sqlite" && settings.stream == "none" && settings.limiter == "local") return {};
  return Error(ErrorCode::invalid,
               "this build has the embedded engine only: store = sqlite, stream = none, limiter = local");
}

Result<std::shared_ptr<const catalog::Catalog>> load_catalog(const Settings& settings) {
  if (settings.catalog.empty()) return catalog::Catalog::built_in();
  return catalog::Catalog::load(settings.catalog);
}

/// Null: plain HTTP.
Result<std::shared_ptr<http::TlsCredentials>> load_tls(const Settings& settings) {
  if (settings.tls_cert.empty() && settings.tls_key.empty()) return std::shared_ptr<http::TlsCredentials>();
  if (settings.tls_cert.empty() || settings.tls_key.empty()) {
    return Error(ErrorCode::invalid, "tls_cert and tls_key belong together: one of them is missing");
  }
  return http::TlsCredentials::load({settings.tls_cert, settings.tls_key});
}

/// Keeps the old ones on an error.
void reload_tls(const std::shared_ptr<http::TlsCredentials>& credentials) {
  if (!credentials) return;
  if (const auto reloaded = credentials->reload(); !reloaded) {
    log_error("tls: {}; the previous certificate stays", reloaded.error().detail);
  } else {
    log_info("tls: certificate read again");
  }
}

std::vector<FieldError> faults(const Settings& settings) {
  std::vector<FieldError> found;
  const auto note = [&](std::string setting, const auto& checked) {
    if (!checked) found.push_back({std::move(setting), checked.error().detail});
  };
  note("engines", check_engines(settings));
  note("tls", load_tls(settings));
  note("admin keys", cli::check_admin_keys(settings));
  note("catalog", load_catalog(settings));
  return found;
}

/// Listens, tells where, serves until asked to stop, drains.
int serve(http::Server& server, const DataDir& data, cli::Service service, std::string_view listen,
          const Signals& signals, const std::function<void()>& on_hangup) {
  if (auto started = server.start(); !started)
    return fail(fmt::format("{}_listen", cli::to_string(service)), started.error());
  const std::string url = cli::reachable_url(server.scheme(), listen, server.port());
  if (auto published = data.publish_url(service, url); !published)
    return fail("cannot publish the address", published.error());
  log_info("{} listens at {}", cli::to_string(service), url);
  signals.wait_for_stop(on_hangup);
  data.withdraw_url(service, url);
  server.stop();
  log_info("{} stopped", cli::to_string(service));
  return cli::exit_done;
}

http::ServerConfig server_config(const Settings& settings, const std::string& listen,
                                 std::shared_ptr<http::TlsCredentials> tls) {
  http::ServerConfig config;
  config.listen = listen;
  config.tls = std::move(tls);
  config.threads = settings.threads;
  return config;
}

void export_server(Metrics& metrics, const http::Server& server) {
  const auto add = [&](const char* name, const char* help, const char* type, std::uint64_t http::ServerStats::*member) {
    metrics.callback(name, help, type, [&server, member] { return static_cast<double>(server.stats().*member); });
  };
  add("latchkey_http_connections", "Connections open now.", "gauge", &http::ServerStats::connections_open);
  add("latchkey_http_connections_total", "Connections accepted.", "counter", &http::ServerStats::connections_total);
  add("latchkey_http_connections_refused_total", "Connections closed at accept: too many.", "counter",
      &http::ServerStats::connections_refused);
  add("latchkey_http_requests_total", "Requests received.", "counter", &http::ServerStats::requests_total);
  add("latchkey_http_malformed_total", "Requests that broke HTTP.", "counter", &http::ServerStats::malformed_total);
}

// --- Access Key Management -----------------------------------------------------------------------------------------

/// A file that was lost must not come back as an empty one without a word. Asked by name only, never opened.
void warn_of_lost_database(const DataDir& data) {
  std::error_code none;
  const auto size = std::filesystem::file_size(data.database(), none);
  if (!none && size > 0) return;
  if (std::filesystem::is_empty(data.signing_keys(), none)) return;
  log_warning("{} is gone or empty although there are signing keys: a new database is made, which knows no access key",
              data.database().string());
}

int run_keys(const Settings& settings) {
  const Signals signals;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  if (auto checked = check_engines(settings); !checked) return fail("configuration", checked.error());
  auto data = DataDir::open_or_create(settings.data_dir);
  if (!data) return fail("data directory", data.error());
  const auto claim = data->claim(cli::Service::keys);
  if (!claim) return fail("data directory", claim.error());
  auto admins = cli::admin_verifier(settings, *data);
  if (!admins) return fail("admin keys", admins.error());
  const auto tls = load_tls(settings);
  if (!tls) return fail("tls", tls.error());
  warn_of_lost_database(*data);
  auto store = store::open_sqlite(data->database(), clock, random);
  if (!store) return fail("store", store.error());
  auto ring = commands::KeyRing::open(data->path(), **store, clock.wall());
  if (!ring) return fail("signing keys", ring.error());

  WorkerPool pool(std::max(4U, settings.threads), 4096);
  keys_service::KeysService service({**store, **ring, *admins, clock, random, metrics, pool});
  http::Server server(server_config(settings, settings.keys_listen, *tls), service.router());
  export_server(metrics, server);
  return serve(server, *data, cli::Service::keys, settings.keys_listen, signals, [&] { reload_tls(*tls); });
}

// --- Token Information ---------------------------------------------------------------------------------------------

int run_tokens(const Settings& settings) {
  const Signals signals;
  SystemClock clock;
  Metrics metrics;
  if (auto checked = check_engines(settings); !checked) return fail("configuration", checked.error());
  auto data = DataDir::open_or_create(settings.data_dir);
  if (!data) return fail("data directory", data.error());
  const auto claim = data->claim(cli::Service::tokens);
  if (!claim) return fail("data directory", claim.error());
  auto catalog = load_catalog(settings);
  if (!catalog) return fail("catalog", catalog.error());
  catalog::CatalogHolder holder(*catalog);
  const auto tls = load_tls(settings);
  if (!tls) return fail("tls", tls.error());

  view::View view;
  feed::SqliteFeed feed(data->database(), clock);
  view::Projector projector(feed, view, clock);
  const access::AccessCheck check(view, clock, {settings.max_staleness});
  limit::LocalLimiter limiter(clock);
  report::RequestLog log(std::make_unique<report::LogFile>(
      report::LogFileConfig{data->request_log(), settings.request_log_max_bytes, settings.request_log_files}));

  tokens_service::TokensService service({view, projector, check, limiter, holder, log, metrics, clock});
  http::Server server(server_config(settings, settings.tokens_listen, *tls), service);
  export_server(metrics, server);
  projector.start();
  const int code = serve(server, *data, cli::Service::tokens, settings.tokens_listen, signals, [&] {
    reload_tls(*tls);
    if (!settings.catalog.empty()) (void)holder.reload(settings.catalog);
  });
  projector.stop();
  return code;
}

}  // namespace
}  // namespace latchkey

int main(int argc, char** argv) {
  return latchkey::cli::run(argc, argv, {latchkey::run_keys, latchkey::run_tokens, latchkey::faults});
}
