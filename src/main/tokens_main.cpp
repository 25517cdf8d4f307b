// Token Information: a replica, and HTTP in front of it.

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "catalog/current_catalog.hpp"
#include "limit/redis/lease_limiter.hpp"
#include "main/catalog.hpp"
#include "main/forward_auth.hpp"
#include "main/planted_drift.hpp"
#include "main/replica.hpp"
#include "main/replica_usage.hpp"
#include "main/serve.hpp"
#include "main/services.hpp"
#include "main/tls.hpp"
#include "report/request_log.hpp"
#include "tokens_service/tokens_service.hpp"

namespace latchkey {

using config::Settings;

int run_tokens(const Settings& settings) {
  const Signals signals;
  SystemClock clock;
  Metrics metrics;
  const auto opened = Replica::open(settings, clock, metrics, data_dir::DataDir::longest_ending);
  if (!opened) return fail(opened.error().opening, opened.error().error);
  Replica& replica = **opened;
  auto catalog = load_catalog(settings);
  if (!catalog) return fail("catalog", catalog.error());
  catalog::CurrentCatalog holder(*catalog);
  const auto forward = forward_auth(settings);
  if (!forward) return fail("trusted_proxies", forward.error());
  const auto rules = RuleSource::open(settings, clock, metrics);
  if (!rules) return fail("rules", rules.error());
  const auto tls = load_tls(settings);
  if (!tls) return fail("tls", tls.error());

  ReplicaUsage usage(settings, replica, clock, metrics);
  report::RequestLog log(std::make_unique<report::LogFile>(
      report::LogFileConfig{replica.data().request_log(), settings.request_log_max_bytes, settings.request_log_files}));
  const auto* const shared = dynamic_cast<const limit::LeaseLimiter*>(&replica.limiter());
  const auto reachable =
      shared == nullptr ? std::function<bool()>() : std::function<bool()>([shared] { return shared->reachable(); });
  tokens_service::TokensService service({replica.view(), replica.projector(), replica.check(), replica.limiter(),
                                         holder, log, metrics, clock, (*rules)->rules(), *forward, &replica.digests(),
                                         reachable, usage.recorder()});
  http::Server server(server_config(settings, settings.tokens_listen, *tls), service);
  export_server(metrics, server);
  planted_drift::listen();
  replica.start();
  usage.start();
  const int code = serve(server, replica.data(), data_dir::Service::tokens, signals, [&] {
    reload_tls(*tls);
    log.reopen();
    (*rules)->read_again();
    if (!settings.catalog.empty()) (void)holder.reload(settings.catalog);
  });
  replica.stop();  // before the service goes, which it answers by
  usage.stop();
  return code;
}

}  // namespace latchkey
