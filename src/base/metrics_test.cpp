#include "base/metrics.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace latchkey {
namespace {

TEST(Metrics, ASeriesIsRegisteredOnce) {
  Metrics metrics;
  metrics.add_counter("a_total", "A", "x=\"1\"").add();
  metrics.add_counter("a_total", "A", "x=\"2\"").add(2);
  EXPECT_THROW(metrics.add_counter("a_total", "A", "x=\"1\""), std::logic_error);
  EXPECT_THROW(metrics.add_counter(
                   "a_total", "A", [] { return 0.0; }, "x=\"2\""),
               std::logic_error);
  EXPECT_THROW(metrics.add_histogram("a_total", "A", {1}, "x=\"2\""), std::logic_error);
  EXPECT_EQ(metrics.render(), "# HELP a_total A\n# TYPE a_total counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} 2\n");
}

struct Kept {
  struct Stats {
    std::uint64_t loads = 7;
    std::atomic<std::uint64_t> drops{8};
  };
  const Stats& stats() const { return kept; }
  bool complete() const { return true; }
  Stats kept;
};

TEST(Metrics, ReadsWhatIsKeptElsewhereByWayOfItsMembers) {
  Kept of;
  Metrics metrics;
  metrics.add_gauge("complete", "C", of, &Kept::complete);
  metrics.add_counter("loads_total", "L", of, &Kept::stats, &Kept::Stats::loads);
  metrics.add_counter("drops_total", "D", of, &Kept::kept, &Kept::Stats::drops);
  of.kept.loads = 9;
  const std::string text = metrics.render();
  for (const char* line :
       {"# TYPE complete gauge\ncomplete 1\n", "# TYPE loads_total counter\nloads_total 9\n", "drops_total 8\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace latchkey
