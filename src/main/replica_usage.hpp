#pragma once

// What one replica counts, on its way to the store.

#include <memory>

#include "main/replica.hpp"
#include "usage/usage_loop.hpp"
#include "usage/usage_recorder.hpp"

namespace latchkey {

/// Requests are counted at recorder() from the beginning to stop().
class ReplicaUsage {
 public:
  /// `replica`, `clock` and `metrics` as Replica::open() has them. Where usage cannot be kept it says so, and nothing is
  /// counted: that is no reason to refuse requests.
  ReplicaUsage(const config::Settings& settings, const Replica& replica, const Clock& clock, Metrics& metrics);

  /// Null: nothing is counted.
  usage::UsageRecorder* recorder() { return loop_ ? &recorder_ : nullptr; }
  void start();
  /// Hands over what is left. Nothing is answered any more.
  void stop();

 private:
  SystemRandom random_;
  usage::UsageRecorder recorder_;
  std::unique_ptr<usage::UsageSink> sink_;
  std::unique_ptr<usage::UsageLoop> loop_;
};

}  // namespace latchkey
