#pragma once

// A replica as it runs, with the production's RedisFeed, Projector, View, ServingGate, ReportLoop and the freshness
// rule of AccessCheck.

#include <fmt/format.h>

#include <map>
#include <optional>

#include "access/access_check.hpp"
#include "feed/redis/redis_feed.hpp"
#include "propagation/relay_node.hpp"
#include "propagation/simulated_access.hpp"
#include "replica/memory/memory_registry.hpp"
#include "replica/report_loop.hpp"
#include "view/projector.hpp"

namespace latchkey::simulation::propagation {

constexpr std::chrono::milliseconds max_staleness{2000};

/// The registry takes a report only in place of an older one.
class Registry {
 public:
  std::uint64_t take(const replica::ReplicaReport& report) {
    std::uint64_t& newest = newest_[report.id];
    if (report.number <= newest) return newest;
    newest = report.number;
    return *reports_.report(report);
  }
  replica::MemoryRegistry& reports() { return reports_; }

 private:
  std::map<replica::ReplicaId, std::uint64_t> newest_;
  replica::MemoryRegistry reports_;
};

/// One life of it; destroying it is kill -9.
class ReplicaNode {
 public:
  /// `looked_at` is called after each step of the projector.
  ReplicaNode(Common common, Registry& registry, const Cuts& cuts, std::function<void()> looked_at);

  void pause(Duration duration);
  void step_wall(Duration by) { clock_.step_wall(by); }
  bool paused() const { return common_.world.now() < paused_until_; }
  bool decides() const { return !paused() && check_.readiness() == access::Readiness::ready; }
  std::string why_not() const {
    return fmt::format("{}, its feed says last: {}", static_cast<int>(check_.readiness()),
                       projector_.stats().last_error);
  }
  const view::View& view() const { return view_; }
  std::uint64_t loads() const { return projector_.stats().loads; }
  const NodeClock& clock() const { return clock_; }

 private:
  /// The feed, on a thread that is not always scheduled at once.
  class Scheduled final : public feed::ChangeFeed {
   public:
    Scheduled(ReplicaNode& node, std::unique_ptr<feed::StreamAccess> access)
        : node_(node), feed_(std::move(access), node.clock_) {}
    Result<Position, feed::FeedError> load(feed::SnapshotSink& sink) override { return feed_.load(sink); }
    void resume(const LogEnd& known) override { feed_.resume(known); }
    Result<feed::Batch, feed::FeedError> next(Position after, std::chrono::milliseconds patience) override;
    void wake() override {}

   private:
    ReplicaNode& node_;
    feed::RedisFeed feed_;
  };
  class Reporter final : public replica::ReplicaReporter {
   public:
    explicit Reporter(ReplicaNode& node) : node_(node) {}
    Result<std::uint64_t> report(const replica::ReplicaReport& report) override;

   private:
    ReplicaNode& node_;
  };

  Common common_;
  Registry& registry_;
  const Cuts& cuts_;
  NodeClock clock_;
  Time paused_until_{};
  view::View view_;
  view::ServingGate gate_;
  access::AccessCheck check_;
  SimulatedAccess* stream_ = nullptr;  // the feed's
  Scheduled feed_;
  view::Projector projector_;
  Reporter reporter_;
  replica::ReportLoop reports_;
  Process projecting_;
  Process reporting_;
};

}  // namespace latchkey::simulation::propagation
