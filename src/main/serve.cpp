#include "main/serve.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "base/log.hpp"
#include "cli/cli.hpp"
#include "supervise/service_manager.hpp"

namespace latchkey {

int fail(std::string_view doing, const Error& error) {
  log_error("{}: {}{}{}", doing, error.detail, error.internal.empty() ? "" : ": ", error.internal);
  return cli::exit_failed;
}

http::ServerConfig server_config(const config::Settings& settings, const std::string& listen,
                                 std::shared_ptr<http::TlsCredentials> tls) {
  http::ServerConfig config;
  config.listen = listen;
  config.tls = std::move(tls);
  config.threads = settings.threads;
  config.max_handshakes = settings.max_handshakes;
  config.io = http::io_engine_of(settings.io);
  return config;
}

void export_server(Metrics& metrics, const http::Server& server) {
  using http::Server;
  using Stats = http::ServerStats;
  metrics.add_gauge("latchkey_http_connections", "Connections open now.", server, &Server::stats,
                    &Stats::connections_open);
  metrics.add_counter("latchkey_http_connections_total", "Connections accepted.", server, &Server::stats,
                      &Stats::connections_total);
  metrics.add_counter("latchkey_http_connections_refused_total", "Connections closed at accept: too many.", server,
                      &Server::stats, &Stats::connections_refused);
  metrics.add_counter("latchkey_http_requests_total", "Requests received.", server, &Server::stats,
                      &Stats::requests_total);
  metrics.add_counter("latchkey_http_malformed_total", "Requests that broke HTTP.", server, &Server::stats,
                      &Stats::malformed_total);
  metrics.add_counter("latchkey_http_handshakes_ended_total",
                      "Unfinished TLS handshakes ended to make room for others.", server, &Server::stats,
                      &Stats::handshakes_ended);
  metrics.add_gauge(
      "latchkey_http_io", "How connections are read and written.", [] { return 1.0; },
      fmt::format("engine=\"{}\"", http::to_string(server.io().engine)));
}

namespace {

void log_io(std::string_view service, const http::ChosenEngine& io) {
  const std::string why =
      io.why_not_io_uring.empty() ? "" : fmt::format(", as io_uring does not work here ({})", io.why_not_io_uring);
  log_info("{}: I/O by {}{}", service, http::to_string(io.engine), why);
}

/// Once an I/O thread stands still, the manager hears no more that the service lives, and starts it anew.
std::optional<Signals::Tick> watchdog(const supervise::ServiceManager& manager, http::Server& server) {
  const auto interval = manager.watchdog_interval();
  if (!interval) return std::nullopt;
  return Signals::Tick{*interval, [&manager, &server] {
                         if (server.progressed()) manager.alive();
                       }};
}

}  // namespace

int serve(http::Server& server, const data_dir::DataDir& data, data_dir::Service service, const Signals& signals,
          const std::function<void()>& on_hangup, const std::function<void()>& on_stop) {
  if (auto started = server.start(); !started)
    return fail(fmt::format("{}_listen", data_dir::to_string(service)), started.error());
  const auto urls = server.urls();
  if (auto published = data.publish_urls(service, urls); !published)
    return fail("cannot publish the address", published.error());
  log_io(data_dir::to_string(service), server.io());
  log_info("{} listens at {}", data_dir::to_string(service), fmt::join(urls, ", "));
  const supervise::ServiceManager manager(&std::getenv);
  manager.ready(fmt::format("listens at {}", fmt::join(urls, ", ")));
  signals.wait_for_stop(on_hangup, watchdog(manager, server));
  manager.stopping();
  data.withdraw_urls(service, urls);
  on_stop();
  server.stop();
  log_info("{} stopped", data_dir::to_string(service));
  return cli::exit_done;
}

}  // namespace latchkey
