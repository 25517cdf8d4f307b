#include "main/replica_usage.hpp"

#include "base/log.hpp"
#include "main/usage_engines.hpp"
#include "tokens_service/usage_notes.hpp"

namespace latchkey {
namespace {

std::optional<std::string> user_in(const view::View& view, KeyId id) {
  const view::View::Reader reader(view);
  const auto* row = reader.find(id);
  return row == nullptr ? std::nullopt : std::optional<std::string>(row->user_id());
}

void export_usage(Metrics& metrics, const usage::UsageRecorder& recorder, const usage::UsageLoop& loop) {
  using Stats = usage::UsageLoopStats;
  using usage::UsageLoop;
  metrics.add_gauge("latchkey_usage_entries_pending", "Counts in memory that no batch has yet.", recorder,
                    &usage::UsageRecorder::pending);
  metrics.add_gauge("latchkey_usage_rows_waiting", "Rows of batches that have not arrived in the store.", loop,
                    &UsageLoop::stats, &Stats::waiting);
  metrics.add_counter("latchkey_usage_rows_flushed_total", "Rows that have arrived in the store.", loop,
                      &UsageLoop::stats, &Stats::flushed);
  metrics.add_counter("latchkey_usage_failures_total", "Times the store did not take a batch.", loop, &UsageLoop::stats,
                      &Stats::failures);
  metrics.add_counter("latchkey_usage_dropped_total", "Requests that are in no batch: no room.", recorder,
                      &usage::UsageRecorder::dropped);
}

}  // namespace

ReplicaUsage::ReplicaUsage(const config::Settings& settings, const Replica& replica, const Clock& clock,
                           Metrics& metrics)
    : recorder_(tokens_service::usage_outcomes()) {
  auto sink = engines::open_usage_sink(settings, replica.data(), clock);
  if (!sink) {
    log_warning("usage: is not counted: {} {}", sink.error().detail, sink.error().internal);
    return;
  }
  sink_ = std::move(*sink);
  const view::View& view = replica.view();
  loop_ = std::make_unique<usage::UsageLoop>(
      recorder_, *sink_, clock, random_,
      usage::UsageLoopConfig{.user_of = [&view](KeyId id) { return user_in(view, id); }});
  export_usage(metrics, recorder_, *loop_);
}

void ReplicaUsage::start() {
  if (loop_) loop_->start();
}

void ReplicaUsage::stop() {
  if (loop_) loop_->stop();
}

}  // namespace latchkey
