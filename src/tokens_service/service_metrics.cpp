#include "tokens_service/service_metrics.hpp"

namespace latchkey::tokens_service {
namespace {

constexpr std::string_view requests = "latchkey_requests_total";
constexpr std::string_view requests_help = "Key holders' requests by what became of them";

Counter& outcome(Metrics& metrics, std::string_view name) {
  return metrics.add_counter(requests, requests_help, "outcome=\"" + std::string(name) + "\"");
}

void add_view_gauges(const Parts& parts) {
  using view::Freshness;
  using view::View;
  Metrics& metrics = parts.metrics;
  const View& view = parts.view;
  metrics.add_gauge("latchkey_view_position", "Seq of the last change that the view holds", view, &View::freshness,
                    &Freshness::position, &Position::seq, &Seq::value);
  metrics.add_gauge("latchkey_view_age_seconds", "Since the view was known to hold all that was committed",
                    [&view, &clock = parts.clock] {
                      return std::chrono::duration<double>(clock.boot() - view.freshness().current_as_of).count();
                    });
  metrics.add_gauge("latchkey_view_complete", "1 once the view has been loaded", view, &View::freshness,
                    &Freshness::complete);
  metrics.add_gauge("latchkey_view_keys", "Access keys in the view", view, &View::key_count);
  metrics.add_gauge("latchkey_view_bytes", "Memory of the view", view, &View::resident_bytes);
  metrics.add_gauge("latchkey_catalog_tokens", "Tokens in the catalog",
                    [&catalog = parts.catalog] { return static_cast<double>(catalog.current()->size()); });
}

void add_projector_counters(const Parts& parts) {
  using view::Projector;
  using Stats = view::ProjectorStats;
  Metrics& metrics = parts.metrics;
  const Projector& projector = parts.projector;
  metrics.add_counter("latchkey_view_loads_total", "Whole loads of the view that succeeded", projector,
                      &Projector::stats, &Stats::loads);
  metrics.add_counter("latchkey_view_reloads_total",
                      "Times the view was distrusted: gap, replaced file, other epoch, restored backup", projector,
                      &Projector::stats, &Stats::reloads);
  metrics.add_counter("latchkey_view_changes_total", "Changes applied", projector, &Projector::stats,
                      &Stats::changes_applied);
  metrics.add_counter("latchkey_view_unavailable_total", "Reads of the feed that failed", projector, &Projector::stats,
                      &Stats::unavailable);
}

void add_log_counters(const Parts& parts) {
  using report::RequestLog;
  parts.metrics.add_counter("latchkey_request_log_written_total", "Lines written to the request log", parts.log,
                            &RequestLog::written);
  parts.metrics.add_counter("latchkey_request_log_dropped_total", "Lines that the request log had to drop", parts.log,
                            &RequestLog::dropped);
}

}  // namespace

ServiceMetrics::ServiceMetrics(const Parts& parts)
    : metrics_(parts.metrics),
      admitted_(&outcome(metrics_, "admitted")),
      plan_(&outcome(metrics_, "plan")),
      public_(&outcome(metrics_, "public")),
      preflight_(&outcome(metrics_, "preflight")),
      position_refused_(&outcome(metrics_, "position")),
      would_limit_(&metrics_.add_counter("latchkey_would_limit_total",
                                         "Admitted requests that an observed limit would have refused", "")),
      duration_(
          &metrics_.add_histogram("latchkey_request_duration_seconds", "Key holders' requests, until answered",
                                  {0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5})) {
  for (std::size_t i = 0; i < refused_.size(); ++i) {
    refused_[i] = &outcome(metrics_, to_string(static_cast<access::Refusal>(i)));
  }
  add_view_gauges(parts);
  add_projector_counters(parts);
  add_log_counters(parts);
}

void ServiceMetrics::watch(const SignatureQueue& queue) {
  metrics_.add_gauge("latchkey_signature_queue", "Tokens that wait for their signature to be checked", queue,
                     &SignatureQueue::waiting);
}

}  // namespace latchkey::tokens_service
