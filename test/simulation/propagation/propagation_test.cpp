#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <iostream>

#include "propagation/propagation_simulation.hpp"
#include "seeds.hpp"

namespace latchkey::simulation::propagation {
namespace {

/// The nodes' own log tells of every fault: shown in a replay.
class PropagationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ::prctl(PR_SET_THP_DISABLE, 1, 0, 0,
            0);  // or clearing 2 MiB for each of many small views is all the time goes into
  }
  void SetUp() override {
    const int nowhere = is_replay() ? ::dup(STDERR_FILENO) : ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    stderr_ = ::dup(STDERR_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::close(nowhere);
  }
  void TearDown() override {
    ::dup2(stderr_, STDERR_FILENO);
    ::close(stderr_);
  }
  const std::uint64_t first_ = first_seed();

 private:
  int stderr_ = -1;
};

TEST_F(PropagationTest, ViewsAreCurrentWhenTheySaySoAndEqualTheStoreAtLast) {
  const std::uint64_t seeds = seeds_to_run();
  Outcome total;
  for (std::uint64_t seed = first_; seed < first_ + seeds; ++seed) {
    const Outcome outcome = PropagationSimulation(seed, Climate::of(seed), Bug::none).run();
    ASSERT_EQ(outcome.violation, "") << "LATCHKEY_SEED=" << seed;
    total.commits += outcome.commits;
    total.confirmations += outcome.confirmations;
    total.decisions += outcome.decisions;
    total.loads += outcome.loads;
    total.lives += outcome.lives;
    total.faults += outcome.faults;
  }
  std::cout << seeds << " seeds from " << first_ << ": " << total.commits << " commits, " << total.confirmations
            << " confirmations, " << total.decisions << " looks at decisions, " << total.loads << " loads, "
            << total.lives << " lives of the stream, " << total.faults << " faults\n";
  if (is_replay()) return;
  EXPECT_GT(total.confirmations, seeds);
  EXPECT_GT(total.decisions, 100 * seeds);
}

TEST_F(PropagationTest, AThousandReplicas) {
  Climate climate;
  climate.replicas = 1000 / slowed_down;
  climate.lasts = std::chrono::seconds(2);
  climate.between_commits = std::chrono::milliseconds(400);
  climate.cut = std::chrono::milliseconds(20);
  const Outcome outcome = PropagationSimulation(first_, climate, Bug::none).run();
  EXPECT_EQ(outcome.violation, "") << "LATCHKEY_SEED=" << first_;
}

struct Planted {
  Bug bug;
  const char* name;
  std::uint64_t most_seeds;
};
class PropagationBugTest : public PropagationTest, public testing::WithParamInterface<Planted> {};

TEST_P(PropagationBugTest, IsFound) {
  const auto [bug, name, most_seeds] = GetParam();
  for (std::uint64_t seed = first_; seed < first_ + most_seeds; ++seed) {
    const Climate climate = Climate::for_bug(bug, seed);
    const Outcome outcome = PropagationSimulation(seed, climate, bug).run();
    if (outcome.violation.empty()) continue;
    // A store that is put back within its epoch every second is harsher than any climate that the whole is held to:
    // there a seed may find something without a bug, and then it convicts nobody.
    if (!PropagationSimulation(seed, climate, Bug::none).run().violation.empty()) continue;
    std::cout << name << ": found by seed " << seed << ", " << seed - first_ + 1 << " tried: " << outcome.violation
              << "\n";
    return;
  }
  FAIL() << name << " was not found by " << most_seeds << " seeds from " << first_;
}

INSTANTIATE_TEST_SUITE_P(
    Planted, PropagationBugTest,
    testing::Values(Planted{Bug::gap_ignored, "gap_ignored", 400},
                    Planted{Bug::snapshot_position_read_after, "snapshot_position_read_after", 400},
                    Planted{Bug::trim_before_snapshot_complete, "trim_before_snapshot_complete", 400},
                    Planted{Bug::epoch_ignored, "epoch_ignored", 400}, Planted{Bug::fork_ignored, "fork_ignored", 400},
                    Planted{Bug::verdict_by_position, "verdict_by_position", 1000},
                    Planted{Bug::heartbeat_trusted_on_arrival, "heartbeat_trusted_on_arrival", 400},
                    Planted{Bug::ack_before_apply, "ack_before_apply", 400},
                    Planted{Bug::changes_out_of_order, "changes_out_of_order", 400},
                    Planted{Bug::append_without_seq_check, "append_without_seq_check", 400},
                    Planted{Bug::ticks_of_any_connection, "ticks_of_any_connection", 400},
                    Planted{Bug::heartbeat_over_any_connection, "heartbeat_over_any_connection", 1000},
                    Planted{Bug::stream_ahead_of_store_ignored, "stream_ahead_of_store_ignored", 1000}),
    [](const auto& planted) { return planted.param.name; });

}  // namespace
}  // namespace latchkey::simulation::propagation
