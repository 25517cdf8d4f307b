#include "tokens_service/service_metrics.hpp"

namespace latchkey::tokens_service {
namespace {

constexpr std::string_view requests = "latchkey_requests_total";
constexpr std::string_view requests_help = "Key holders' requests by what became of them";

Counter& outcome(Metrics& metrics, std::string_view name) {
  return metrics.counter(requests, requests_help, "outcome=\"" + std::string(name) + "\"");
}

void add_view_gauges(const Parts& parts) {
  const auto& view = parts.view;
  const auto gauge = [&](std::string_view name, std::string_view help, std::function<double()> read) {
    parts.metrics.callback(name, help, "gauge", std::move(read));
  };
  gauge("latchkey_view_position", "Seq of the last change that the view holds",
        [&view] { return static_cast<double>(view.freshness().position.seq.value); });
  gauge("latchkey_view_age_seconds", "Since the view was known to hold all that was committed",
        [&view, &clock = parts.clock] {
          return std::chrono::duration<double>(clock.boot() - view.freshness().current_as_of).count();
        });
  gauge("latchkey_view_complete", "1 once the view has been loaded",
        [&view] { return view.freshness().complete ? 1.0 : 0.0; });
  gauge("latchkey_view_keys", "Access keys in the view", [&view] { return static_cast<double>(view.key_count()); });
  gauge("latchkey_view_bytes", "Memory of the view", [&view] { return static_cast<double>(view.resident_bytes()); });
  gauge("latchkey_catalog_tokens", "Tokens in the catalog",
        [&catalog = parts.catalog] { return static_cast<double>(catalog.current()->size()); });
}

void add_projector_counters(const Parts& parts) {
  using Stats = view::ProjectorStats;
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t Stats::*member) {
    parts.metrics.callback(name, help, "counter", [&projector = parts.projector, member] {
      return static_cast<double>(projector.stats().*member);
    });
  };
  counter("latchkey_view_loads_total", "Whole loads of the view that succeeded", &Stats::loads);
  counter("latchkey_view_reloads_total",
          "Times the view was distrusted: gap, replaced file, other epoch, restored backup", &Stats::reloads);
  counter("latchkey_view_changes_total", "Changes applied", &Stats::changes_applied);
  counter("latchkey_view_unavailable_total", "Reads of the feed that failed", &Stats::unavailable);
}

void add_log_counters(const Parts& parts) {
  const auto& log = parts.log;
  parts.metrics.callback("latchkey_request_log_written_total", "Lines written to the request log", "counter",
                         [&log] { return static_cast<double>(log.written()); });
  parts.metrics.callback("latchkey_request_log_dropped_total", "Lines that the request log had to drop", "counter",
                         [&log] { return static_cast<double>(log.dropped()); });
}

}  // namespace

ServiceMetrics::ServiceMetrics(const Parts& parts)
    : metrics_(parts.metrics),
      admitted_(&outcome(metrics_, "admitted")),
      plan_(&outcome(metrics_, "plan")),
      public_(&outcome(metrics_, "public")),
      preflight_(&outcome(metrics_, "preflight")),
      position_refused_(&outcome(metrics_, "position")),
      would_limit_(&metrics_.counter("latchkey_would_limit_total",
                                     "Admitted requests that an observed limit would have refused", "")),
      duration_(
          &metrics_.histogram("latchkey_request_duration_seconds", "Key holders' requests, until answered",
                              {0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5})) {
  for (std::size_t i = 0; i < refused_.size(); ++i) {
    refused_[i] = &outcome(metrics_, to_string(static_cast<access::Refusal>(i)));
  }
  add_view_gauges(parts);
  add_projector_counters(parts);
  add_log_counters(parts);
}

void ServiceMetrics::watch(const SignatureQueue& queue) {
  metrics_.callback("latchkey_signature_queue", "Tokens that wait for their signature to be checked", "gauge",
                    [&queue] { return static_cast<double>(queue.waiting()); });
}

}  // namespace latchkey::tokens_service
