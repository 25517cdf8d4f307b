#pragma once

#include <functional>

#include "access/access_check.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "catalog/current_catalog.hpp"
#include "limit/rate_limiter.hpp"
#include "report/request_log.hpp"
#include "rules/current_rules.hpp"
#include "tokens_service/ruling.hpp"
#include "usage/usage_recorder.hpp"
#include "view/digest_check.hpp"
#include "view/projector.hpp"

namespace latchkey::tokens_service {

/// What the service is made of. All outlive it.
struct Parts {
  const view::View& view;
  view::Projector& projector;
  const access::AccessCheck& check;
  limit::RateLimiter& limiter;
  const catalog::CurrentCatalog& catalog;
  report::RequestLog& log;
  Metrics& metrics;
  const Clock& clock;
  const rules::CurrentRules& rules;
  const ForwardAuth forward{};
  const view::DigestCheck* digests = nullptr;              // what /readyz says of the rows; none: unknown
  const std::function<bool()> shared_limiter_reachable{};  // for /readyz?include=limiter; none: the limiter is local
  usage::UsageRecorder* usage = nullptr;                   // by usage_outcomes(); none: usage is not counted
};

}  // namespace latchkey::tokens_service
