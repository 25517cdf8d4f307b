// A replica says that it has applied a change only once its view answers by it: a real projector and a real report
// loop, each on a thread of its own, over changes without end.

#include <gtest/gtest.h>

#include <thread>

#include "replica/report_loop.hpp"
#include "view/projector.hpp"
#include "view/testing/sample_rows.hpp"

namespace latchkey::replica {
namespace {

constexpr std::size_t keys = 500;
constexpr std::uint64_t changes = 100'000;

/// Always the next batch: change n is of key n % keys.
class EndlessFeed final : public feed::ChangeFeed {
 public:
  explicit EndlessFeed(const Clock& clock) : clock_(clock) {}
  Result<Position, feed::FeedError> load(feed::SnapshotSink&) override { return Position{{7}, 0}; }
  void resume(const LogEnd&) override {}
  Result<feed::Batch, feed::FeedError> next(Position after, std::chrono::milliseconds) override {
    feed::Batch batch{{}, {after.epoch, after.seq + keys}, clock_.boot()};
    for (std::uint64_t seq = after.seq.value + 1; seq <= batch.head.seq.value; ++seq) {
      Change change;
      change.seq = {seq};
      change.row = view::key_of(seq % keys, seq);
      batch.changes.push_back(std::move(change));
    }
    return batch;
  }
  void wake() override {}

 private:
  const Clock& clock_;
};

/// What a manager would confirm by this report is so at the replica.
class DoubtingReporter final : public ReplicaReporter {
 public:
  explicit DoubtingReporter(const view::View& view) : view_(view) {}
  Result<std::uint64_t> report(const ReplicaReport& report) override {
    if (!report.applied || report.applied->seq == Seq{}) return report.number;
    applied = report.applied->seq.value;
    const view::View::Reader reader(view_);
    const auto* row = reader.find(view::id_of(applied % keys));
    if (row == nullptr || row->version().value < applied) ++too_early;
    return report.number;
  }
  std::uint64_t applied = 0;
  std::uint64_t too_early = 0;

 private:
  const view::View& view_;
};

TEST(Acknowledgement, ComesAfterTheViewHasTheChange) {
  SystemClock clock;
  SeededRandom random(1);
  view::View view;
  EndlessFeed feed(clock);
  view::Projector projector(feed, view, clock);
  view::ServingGate gate;
  DoubtingReporter reporter(view);
  ReportLoop loop(reporter, view, gate, clock, random, {.name = "r"});
  std::thread projecting([&] {
    while (view.freshness().position.seq.value < changes) projector.step(std::chrono::milliseconds(0));
  });
  while (reporter.applied < changes) loop.step();
  projecting.join();
  EXPECT_EQ(reporter.too_early, 0U);
}

}  // namespace
}  // namespace latchkey::replica
