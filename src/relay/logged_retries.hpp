#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/retry_backoff.hpp"
#include "feed/change_feed.hpp"
#include "relay/relay_stats.hpp"

namespace latchkey::relay {

/// Failures in a row: how long to pause after each, and when they deserve a line in the log.
class LoggedRetries {
 public:
  LoggedRetries(std::string_view doing, RelayStats& stats) : doing_(doing), stats_(stats) {}

  /// 20 ms, doubling up to a second.
  std::chrono::milliseconds pause_after(const Error& error) { return pause_after(feed::FeedError::of(error)); }
  std::chrono::milliseconds pause_after(const feed::FeedError& error) {
    ++stats_.unavailable;
    const bool nothing_yet = error.kind == feed::FeedError::Kind::not_made && !has_worked_;
    if (std::exchange(waits_, nothing_yet) && !nothing_yet) backoff_.succeeded();  // it is being made
    const auto pause = nothing_yet ? backoff_.failed_below(worth_a_word) : backoff_.failed();
    if (nothing_yet) {
      if (!std::exchange(said_that_it_waits_, true))
        log_info("relay: {}: the store is not made yet; it waits: {}", doing_, error.why);
    } else if (backoff_.in_a_row() == worth_a_word) {  // fewer are the ordinary noise of a start or a failover
      log_warning("relay: {} fails, trying again: {}", doing_, error.why);
    }
    return pause;
  }
  void over() {
    if (backoff_.in_a_row() >= worth_a_word) log_info("relay: {} goes on", doing_);
    backoff_.succeeded();
    has_worked_ = true;
  }

 private:
  static constexpr unsigned worth_a_word = 6;
  const std::string doing_;
  RelayStats& stats_;
  RetryBackoff backoff_;
  bool has_worked_ = false;
  bool waits_ = false;  // for a store that is not made yet
  bool said_that_it_waits_ = false;
};

}  // namespace latchkey::relay
