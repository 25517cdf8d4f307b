#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/log.hpp"
#include "relay/relay_stats.hpp"

namespace latchkey::relay {

/// Failures in a row: how long to pause after each, and when they deserve a word in the log.
class RetryBackoff {
 public:
  RetryBackoff(std::string_view doing, RelayStats& stats) : doing_(doing), stats_(stats) {}

  /// 20 ms, doubling up to a second.
  std::chrono::milliseconds pause_after(std::string_view why) {
    ++stats_.unavailable;
    // Fewer are the ordinary noise of a start or a failover.
    if (++in_a_row_ == worth_a_word) log_warning("relay: {} fails, trying again: {}", doing_, why);
    const unsigned doublings = std::min(in_a_row_ - 1, 6U);
    return std::min(std::chrono::milliseconds(20) * (1 << doublings), std::chrono::milliseconds(1000));
  }
  std::chrono::milliseconds pause_after(const Error& error) {
    return pause_after(error.internal.empty() ? error.detail : error.internal);
  }
  void over() {
    if (in_a_row_ >= worth_a_word) log_info("relay: {} goes on", doing_);
    in_a_row_ = 0;
  }

 private:
  static constexpr unsigned worth_a_word = 6;
  const std::string doing_;
  RelayStats& stats_;
  unsigned in_a_row_ = 0;
};

}  // namespace latchkey::relay
