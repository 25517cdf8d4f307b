#include "propagation/relay_node.hpp"

namespace latchkey::simulation::propagation {

using std::chrono::milliseconds;

namespace {

constexpr relay::SnapshotConfig small_snapshots{.chunk_bytes = 300,
                                                .seeded_changes = 20,
                                                .changes_between = 25,
                                                .look_interval = milliseconds(100),
                                                .waits_for_tail = 20};

}  // namespace

RelayNode::RelayNode(Common common, const Cuts& cuts)
    : common_(common),
      cuts_(cuts),
      clock_(any_clock(common.world)),
      tailing_(common.world,
               [this](Process& process) {
                 StoreClient source(way(process));
                 SimulatedStream stream(place(process));
                 relay::Tail tail(source, stream, clock_, stats_);
                 for (;;) process.sleep(tail.step());
               }),
      copying_(common.world, [this](Process& process) {
        StoreClient source(way(process));
        SimulatedStream stream(place(process));
        relay::SnapshotMaker snapshots(source, stream, common_.random, stats_, small_snapshots);
        for (;;) process.sleep(snapshots.step());
      }) {}

}  // namespace latchkey::simulation::propagation
