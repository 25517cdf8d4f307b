#pragma once

// Carries what a replica counted to its store.
//
//   recorder ── every 1 to 8 s ──> batches of 2,000 rows ──> sink, one after the other, each until it has arrived
//
// While the store is away counts add up in the recorder (for four hours), and one batch waits. What a kill loses is
// what was counted since the batch that arrived last: 8 s at most where the store is there.

#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/wakeable_thread.hpp"
#include "usage/usage_recorder.hpp"
#include "usage/usage_sink.hpp"

namespace latchkey::usage {

struct UsageLoopConfig {
  /// The user of a key; nullopt: not known now. Asked on the loop's thread.
  std::function<std::optional<std::string>(KeyId)> user_of = [](KeyId) { return std::nullopt; };
  std::chrono::milliseconds shortest{1000};
  std::chrono::milliseconds longest{8000};
  std::chrono::milliseconds idle{5000};  // with nothing to say, that there was nothing is said so often
  std::chrono::milliseconds retry{200};
  std::chrono::milliseconds farewell{5000};  // how long stop() waits for the store
};

struct UsageLoopStats {
  std::uint64_t flushed = 0;   // rows that have arrived
  std::uint64_t waiting = 0;   // rows of batches that have not
  std::uint64_t failures = 0;  // of the store
  UnixMillis covered_until{};  // as the store knows
};

/// Either start() and stop(), or step() by one thread.
class UsageLoop {
 public:
  /// All outlive it.
  UsageLoop(UsageRecorder& recorder, UsageSink& sink, const Clock& clock, Random& random, UsageLoopConfig config = {});
  ~UsageLoop();
  UsageLoop(const UsageLoop&) = delete;
  UsageLoop& operator=(const UsageLoop&) = delete;

  void start();
  /// Hands over all that was counted, and that this writer has ended.
  void stop();

  /// Takes what was counted where nothing waits, and hands over what waits. How long to pause then.
  std::chrono::milliseconds step();
  /// The last one. False: not all has arrived.
  bool finish();

  /// Any thread.
  UsageLoopStats stats() const;

  static constexpr std::size_t batch_rows = 2000;

 private:
  void take(bool ended);
  Result<bool> hand_over();
  void note(const Result<bool>& done);
  void arrived(const PackedBatch& batch);

  UsageRecorder& recorder_;
  UsageSink& sink_;
  const Clock& clock_;
  const UsageLoopConfig config_;
  const std::string writer_;
  std::uint64_t seq_ = 0;
  UnixMillis covered_{};
  std::optional<BootTime> said_;  // when the last batch was made
  std::size_t last_rows_ = 0;
  std::deque<PackedBatch> waiting_;
  bool fails_ = false;
  std::atomic<std::uint64_t> flushed_{0}, waiting_rows_{0}, failures_{0};
  std::atomic<std::int64_t> covered_until_{0};
  bool started_ = false;
  WakeableThread thread_;
};

}  // namespace latchkey::usage
