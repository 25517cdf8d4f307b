#include "main/shared_limiter.hpp"

#include "base/random.hpp"
#include "limit/redis/lease_limiter.hpp"
#include "limit/redis/redis_permit_store.hpp"

namespace latchkey::engines {
namespace {

using limit::lease::LeaseStats;

void export_limiter(Metrics& metrics, const limit::LeaseLimiter& limiter) {
  const auto counter = [&](const char* name, const char* help, std::uint64_t LeaseStats::*member) {
    metrics.callback(name, help, "counter",
                     [&limiter, member] { return static_cast<double>(limiter.stats().*member); });
  };
  counter("latchkey_limiter_calls_total", "Calls to the shared store of permits.", &LeaseStats::calls);
  counter("latchkey_limiter_permits_leased_total", "Permits that the shared store granted.", &LeaseStats::leased);
  counter("latchkey_limiter_permits_returned_total", "Of them returned unspent.", &LeaseStats::returned);
  counter("latchkey_limiter_permits_burnt_total", "At most so many were lost with a call that was not answered.",
          &LeaseStats::burnt);
  counter("latchkey_limiter_unavailable_total", "Requests refused since the shared store could not be reached.",
          &LeaseStats::unavailable);
  counter("latchkey_limiter_fail_open_total", "Requests admitted although the shared store could not be reached.",
          &LeaseStats::fail_open);
  metrics.callback("latchkey_limiter_reachable", "1 while the shared store of permits answers.", "gauge",
                   [&limiter] { return limiter.reachable() ? 1.0 : 0.0; });
  metrics.callback("latchkey_limiter_replicas", "Replicas that share the limits.", "gauge",
                   [&limiter] { return static_cast<double>(limiter.replicas()); });
}

}  // namespace

Result<std::unique_ptr<limit::RateLimiter>> open_shared_limiter(const config::Settings& settings, const Clock& clock,
                                                                Metrics& metrics) {
  const auto address = redis::Address::parse(settings.limiter);
  if (!address) return address.error();
  limit::LeaseLimiterConfig config;
  using Closed = limit::lease::LeaseBookConfig::Closed;
  config.book.unreachable = settings.limiter_fail_open ? Closed::admits : Closed::refuses;
  SystemRandom random;
  auto store = std::make_unique<limit::lease::RedisPermitStore>(*address, clock, random);
  auto limiter = std::make_unique<limit::LeaseLimiter>(std::move(store), clock, config);
  export_limiter(metrics, *limiter);
  return limiter;
}

}  // namespace latchkey::engines
