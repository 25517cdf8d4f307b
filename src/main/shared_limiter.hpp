#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/metrics.hpp"
#include "config/settings.hpp"
#include "limit/rate_limiter.hpp"

namespace latchkey::engines {

/// LATCHKEY_LIMITER = redis://…: one limit over all replicas. `metrics` is rendered while the limiter lives only.
Result<std::unique_ptr<limit::RateLimiter>> open_shared_limiter(const config::Settings& settings, const Clock& clock,
                                                                Metrics& metrics);

}  // namespace latchkey::engines
