#include "propagation/replica_node.hpp"

namespace latchkey::simulation::propagation {

using std::chrono::milliseconds;

ReplicaNode::ReplicaNode(Common common, Registry& registry, const Cuts& cuts, std::function<void()> looked_at)
    : common_(common),
      registry_(registry),
      cuts_(cuts),
      clock_(any_clock(common.world)),
      check_(view_, clock_, {.max_staleness = max_staleness, .gate = &gate_}),
      feed_(*this,
            [&] {
              auto access = std::make_unique<SimulatedAccess>(
                  Place{common.world, common.network, projecting_, clock_, common.service, cuts.stream, common.bug});
              stream_ = access.get();
              return access;
            }()),
      projector_(feed_, view_, clock_),
      reporter_(*this),
      reports_(reporter_, view_, gate_, clock_, common.random, {.name = "replica", .max_staleness = max_staleness}),
      projecting_(common.world,
                  [this, looked_at = std::move(looked_at)](Process& process) {
                    for (;;) {
                      const auto pause = projector_.step(milliseconds(100));
                      looked_at();
                      process.sleep(pause);
                    }
                  }),
      reporting_(common.world, [this](Process& process) {
        for (;;) {
          reports_.step();
          process.sleep(milliseconds(100));
        }
      }) {}

void ReplicaNode::pause(Duration duration) {
  paused_until_ = common_.world.now() + duration;
  projecting_.pause(duration);
  reporting_.pause(duration);
}

Result<feed::Batch, feed::FeedError> ReplicaNode::Scheduled::next(Position after, milliseconds patience) {
  auto batch = feed_.next(after, patience);
  if (node_.common_.world.chance(0.01)) node_.projecting_.sleep(node_.common_.world.duration({}, milliseconds(700)));
  if (!batch) return batch;
  if (node_.common_.bug == Bug::heartbeat_trusted_on_arrival && !batch->more) {
    batch->current_as_of = node_.clock_.boot();
  }
  return batch;
}

Result<std::uint64_t> ReplicaNode::Reporter::report(const replica::ReplicaReport& report) {
  auto sent = report;
  if (node_.common_.bug == Bug::ack_before_apply && sent.applied) {
    sent.applied = node_.stream_->seen().position;
    sent.applied_nonce = node_.stream_->seen().nonce;
  }
  const auto known = node_.reporting_.ask<std::uint64_t>(
      node_.common_.network, answer_timeout, [&cut = node_.cuts_.store] { return cut; },
      [&registry = node_.registry_, sent] { return std::optional(registry.take(sent)); });
  if (!known) return Error(ErrorCode::unavailable, "no answer");
  return *known;
}

}  // namespace latchkey::simulation::propagation
