#pragma once

// Decides one request under several limits: all counters are looked at, then all are charged or none, under the locks of
// the one or two shards that the key and its user are in.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "limit/active_limit.hpp"
#include "limit/fit.hpp"
#include "limit/key_window.hpp"
#include "limit/local/counter_room.hpp"
#include "limit/local/long_clock.hpp"
#include "limit/local/shards.hpp"

namespace latchkey::limit {

/// Any thread may call any method.
class ChargeDesk {
 public:
  /// All outlive it. `unknown_past`: what is not known of the short windows' past, at a boot time in milliseconds.
  ChargeDesk(Shards& shards, CounterRoom& room, const Clock& clock, LongClock& long_clock,
             std::function<UnknownPast(std::int64_t)> unknown_past)
      : shards_(shards), room_(room), clock_(clock), long_clock_(long_clock), unknown_past_(std::move(unknown_past)) {}

  enum class Then : std::uint8_t {
    take,  // charge it if all limits admit it
    want,  // the same; and where it only has to be set aside first, ask for that
    look   // nothing
  };
  struct Decided {
    std::optional<Verdict> verdict;  // nullopt: it fits, and is not set aside
    bool ledger_has_work = false;    // Reserver::wake()
  };
  Decided decide(const Charge& charge, Then then);

 private:
  struct Work;
  Verdict judge(Work& work);
  Fit fit(Work& work, std::size_t i, std::uint32_t cost);
  Fit plain_fit(Work& work, const ActiveLimit& limit, std::uint32_t cost);
  Fit short_fit(Work& work, std::size_t i, std::uint32_t cost);
  bool has_room(Work& work);
  void take(Work& work, std::size_t i);
  void want(Work& work);
  Verdict fill(Work& work, Verdict verdict, std::uint32_t taken);
  KeyWindow& key_window(Work& work);
  SlidingWindow& short_window(Work& work, std::size_t i);

  Shards& shards_;
  CounterRoom& room_;
  const Clock& clock_;
  LongClock& long_clock_;
  const std::function<UnknownPast(std::int64_t)> unknown_past_;
};

}  // namespace latchkey::limit
