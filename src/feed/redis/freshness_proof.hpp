#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace latchkey::feed {

/// Turns ticks and heartbeats into a moment at which the reader had everything: the proof of feed/redis/layout.hpp.
/// Pure; one thread.
class FreshnessProof {
 public:
  /// A read that was sent after `stamp` saw `tick` in `life`, over `connection`. Ticks of another life, or of a life
  /// as another server may have it, are not compared.
  void saw_tick(const std::string& life, std::uint64_t connection, std::uint64_t tick, BootTime stamp);
  /// The reader holds every change up to the heartbeat's seq, in the same life as the ticks.
  void holds_beat(std::uint64_t beat_tick);
  /// Forgets everything: what the reader held is void.
  void reset() { *this = {}; }

  /// The latest moment proved; nullopt while there is none.
  std::optional<BootTime> current_as_of() const { return proved_; }

 private:
  struct Seen {
    std::uint64_t tick = 0;
    BootTime latest;  // the newest stamp at which the tick was this
  };
  static constexpr std::size_t most_seen = 64;  // older ones could only prove less

  std::string life_;
  std::uint64_t connection_ = 0;
  std::deque<Seen> seen_;  // ascending by tick
  std::optional<BootTime> proved_;
};

}  // namespace latchkey::feed
