// Access Key Management, assembled from the bottom up and stopped from the top down.

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "admin_identity/admin_verifier.hpp"
#include "admin_identity/provider_url.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/worker_pool.hpp"
#include "commands/key_ring.hpp"
#include "config/notice_target_file.hpp"
#include "data_dir/small_file.hpp"
#include "http/cors.hpp"
#include "keys_service/keys_service.hpp"
#include "main/engines.hpp"
#include "main/forward_auth.hpp"
#include "main/serve.hpp"
#include "main/services.hpp"
#include "main/tls.hpp"
#include "main/usage_engines.hpp"
#include "notices/notice_loop.hpp"

namespace latchkey {

using config::Settings;
using data_dir::DataDir;

namespace {

constexpr auto page_may_send = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID";
constexpr auto page_may_read = "ETag, Latchkey-Position, Latchkey-Enforcement, Retry-After, WWW-Authenticate, Location";

/// Waits while PostgreSQL is away, as relays and replicas do: after an outage any order is right. nullptr: it was asked
/// to stop. What waiting does not mend, as another release's tables or a pooler in between, is an error at once.
Result<std::unique_ptr<store::KeyStore>> open_store(const Settings& settings, const DataDir& data, Clock& clock,
                                                    Random& random, const Signals& signals) {
  for (bool said = false;;) {
    auto store = engines::open_store(settings, data, clock, random);
    if (store || !engines::is_away(settings, store.error())) return store;
    if (!std::exchange(said, true)) {
      log_warning("store: {}, and it waits: {}", store.error().detail, store.error().internal);
    }
    if (signals.stopped_within(std::chrono::seconds(1))) return nullptr;
  }
}

std::optional<pages::SignInProvider> console_sign_in(const Settings& settings) {
  if (settings.admin_oidc_client_id.empty()) return std::nullopt;
  return pages::SignInProvider{settings.admin_oidc_issuer,
                               admin_identity::origin_of(settings.admin_oidc_issuer).value(),
                               settings.admin_oidc_client_id, settings.admin_audience};
}

/// With the secret that each one's file holds.
Result<std::vector<notices::NoticeTarget>> notice_targets(const Settings& settings) {
  auto entries = config::load_notice_targets(settings.notice_targets);
  if (!entries) return entries.error();
  std::vector<notices::NoticeTarget> targets;
  for (const auto& entry : *entries) {
    const auto text = data_dir::read_small_input(entry.secret_file);
    if (!text) return text.error();
    auto key = notices::parse_webhook_secret(*text);
    if (!key) return Error(ErrorCode::invalid, entry.secret_file + " " + key.error().detail);
    targets.push_back({entry.url, std::move(*key), entry.allow_private});
  }
  return targets;
}

}  // namespace

int run_keys(const Settings& settings) {
  const Signals signals;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  if (auto checked = engines::check(settings); !checked) return fail("configuration", checked.error());
  auto data = DataDir::open_or_create(settings.data_dir);
  if (!data) return fail("data directory", data.error());
  const auto claim = data->claim(data_dir::Service::keys);
  if (!claim) return fail("data directory", claim.error());
  const auto admins = admin_identity::Admins::open(settings, *data);
  if (!admins) return fail("admin keys", admins.error());
  const auto tls = load_tls(settings);
  if (!tls) return fail("tls", tls.error());
  auto store = open_store(settings, *data, clock, random, signals);
  if (!store) return fail("store", store.error());
  if (*store == nullptr) return 0;
  auto ring = commands::KeyRing::open(data->path(), **store, clock.wall(), engines::sharing(settings));
  if (!ring) return fail("signing keys", ring.error());

  const auto registry = engines::open_registry(settings, *data, clock);
  if (!registry) return fail("replicas", registry.error());

  const auto usage = engines::open_usage_reader(settings, *data);
  if (!usage) return fail("usage", usage.error());
  if (const auto ready = (*usage)->prepare(); !ready) {
    log_warning("usage: cannot be read, and is asked for again: {} {}", ready.error().detail, ready.error().internal);
  }
  auto proxies = forward_auth(settings);
  if (!proxies) return fail("trusted_proxies", proxies.error());

  auto targets = notice_targets(settings);
  if (!targets) return fail("notice_targets", targets.error());

  WorkerPool pool(std::max(4U, settings.threads), 4096);
  keys_service::KeysService service({**store, **ring, (*admins)->verifier(), clock, random, metrics, pool, **registry,
                                     &(*admins)->source(), settings.key_prefix, usage->get(),
                                     console_sign_in(settings), std::move(proxies->trusted),
                                     proxies->client_address});
  const notices::NoticeLoop notice_loop(**store, clock, random, std::move(*targets));
  auto origins = http::parse_origins(settings.cors_origins);
  if (!origins) return fail("cors_origins", origins.error());
  http::Cors cors({std::move(*origins), page_may_send, page_may_read}, service.router());
  http::Server server(server_config(settings, settings.keys_listen, *tls), cors);
  export_server(metrics, server);
  return serve(
      server, *data, data_dir::Service::keys, signals,
      [&] {
        reload_tls(*tls);
        (*admins)->read_again();
      },
      [&] {
        (*admins)->stop_waiting();
        service.stop_waiting();
      });
}

}  // namespace latchkey
