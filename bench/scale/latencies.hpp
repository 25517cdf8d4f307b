#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <vector>

namespace latchkey::bench {

inline std::int64_t now_nanos() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

/// Of this process: what a busy machine disturbs least.
inline std::int64_t cpu_nanos() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Few enough to keep them all.
class Latencies {
 public:
  void add(std::int64_t nanos) { nanos_.push_back(nanos); }
  std::size_t count() const { return nanos_.size(); }
  double quantile_micros(double share) {
    if (nanos_.empty()) return 0;
    const auto at = static_cast<std::size_t>(share * static_cast<double>(nanos_.size() - 1));
    std::nth_element(nanos_.begin(), nanos_.begin() + static_cast<std::ptrdiff_t>(at), nanos_.end());
    return static_cast<double>(nanos_[at]) / 1000;
  }
  std::string to_json() {
    return fmt::format(R"({{"count":{},"p50Micros":{:.1f},"p99Micros":{:.1f}}})", count(), quantile_micros(0.5),
                       quantile_micros(0.99));
  }

 private:
  std::vector<std::int64_t> nanos_;
};

}  // namespace latchkey::bench
