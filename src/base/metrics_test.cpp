#include "base/metrics.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace latchkey {
namespace {

TEST(Metrics, ASeriesIsRegisteredOnce) {
  Metrics metrics;
  metrics.counter("a_total", "A", "x=\"1\"").add();
  metrics.counter("a_total", "A", "x=\"2\"").add(2);
  EXPECT_THROW(metrics.counter("a_total", "A", "x=\"1\""), std::logic_error);
  EXPECT_THROW(metrics.callback(
                   "a_total", "A", "counter", [] { return 0.0; }, "x=\"2\""),
               std::logic_error);
  EXPECT_THROW(metrics.histogram("a_total", "A", {1}, "x=\"2\""), std::logic_error);
  EXPECT_EQ(metrics.render(), "# HELP a_total A\n# TYPE a_total counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} 2\n");
}

}  // namespace
}  // namespace latchkey
