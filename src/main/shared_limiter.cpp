#include "main/shared_limiter.hpp"

#include "base/random.hpp"
#include "limit/redis/lease_limiter.hpp"
#include "limit/redis/limiter_begin.hpp"
#include "limit/redis/redis_permit_store.hpp"
#include "main/services.hpp"

namespace latchkey::engines {
namespace {

using limit::lease::LeaseStats;

void export_limiter(Metrics& metrics, const limit::LeaseLimiter& limiter) {
  using limit::LeaseLimiter;
  metrics.add_counter("latchkey_limiter_calls_total", "Calls to the shared store of permits.", limiter,
                      &LeaseLimiter::stats, &LeaseStats::calls);
  metrics.add_counter("latchkey_limiter_permits_leased_total", "Permits that the shared store granted.", limiter,
                      &LeaseLimiter::stats, &LeaseStats::leased);
  metrics.add_counter("latchkey_limiter_permits_returned_total", "Of them returned unspent.", limiter,
                      &LeaseLimiter::stats, &LeaseStats::returned);
  metrics.add_counter("latchkey_limiter_permits_burnt_total",
                      "At most so many were lost with a call that was not answered.", limiter, &LeaseLimiter::stats,
                      &LeaseStats::burnt);
  metrics.add_counter("latchkey_limiter_unavailable_total",
                      "Requests refused since the shared store could not be reached.", limiter, &LeaseLimiter::stats,
                      &LeaseStats::unavailable);
  metrics.add_counter("latchkey_limiter_fail_open_total",
                      "Requests admitted although the shared store could not be reached.", limiter,
                      &LeaseLimiter::stats, &LeaseStats::fail_open);
  metrics.add_gauge("latchkey_limiter_reachable", "1 while the shared store of permits answers.", limiter,
                    &LeaseLimiter::reachable);
  metrics.add_gauge("latchkey_limiter_replicas", "Replicas that share the limits.", limiter, &LeaseLimiter::replicas);
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

namespace latchkey {

Result<std::string> begin_limiter(const config::Settings& settings) {
  if (settings.limiter == "local") {
    return Error(ErrorCode::conflict,
                 "limiter is \"local\": each process counts for itself and admits from its first second. Set limiter "
                 "(LATCHKEY_LIMITER) to the redis:// URL that the replicas share");
  }
  const auto address = redis::Address::parse(settings.limiter);
  if (!address) return address.error();
  const SystemClock clock;
  const auto begun = limit::lease::begin(*address, clock);
  if (!begun) {
    const Error& error = begun.error();
    return Error(error.code, "limiter (LATCHKEY_LIMITER): " + (error.internal.empty() ? error.detail : error.internal));
  }
  const std::string place = "redis " + address->to_string();
  if (*begun == limit::lease::Begun::has_counted) return place + " has counted before: it stays as it is";
  return place + " is told that nothing was admitted: a replica that starts within a minute finds it open";
}

}  // namespace latchkey
