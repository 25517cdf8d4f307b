#pragma once

// Where the view stands, read on every request: a ring of records, of which the writer fills the next and then names
// it. A reader that was overtaken by a whole ring while it read tries again; a writer that stops half-way stops nobody.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "view/view.hpp"

namespace latchkey::view {

/// Freshness, and which of the states since the last reset it speaks of.
struct Standing {
  Freshness freshness;
  std::uint64_t life = 0;
};

class FreshnessCell {
 public:
  /// One writer.
  void publish(const Standing& standing) {
    const std::uint64_t next = published_.load(std::memory_order_relaxed) + 1;
    Record& record = ring_[next % ring_.size()];
    // Releasing: a thread that sees one of these also sees `published_` as it was before, and so that the ring has
    // turned.
    record.life_and_complete.store(standing.life << 1 | (standing.freshness.complete ? 1 : 0),
                                   std::memory_order_release);
    record.epoch.store(standing.freshness.position.epoch.value, std::memory_order_release);
    record.seq.store(standing.freshness.position.seq.value, std::memory_order_release);
    record.as_of.store(standing.freshness.current_as_of.nanos, std::memory_order_release);
    record.nonce.store(standing.freshness.nonce.value, std::memory_order_release);
    published_.store(next, std::memory_order_release);
  }

  Standing read() const {
    for (;;) {
      const std::uint64_t at = published_.load(std::memory_order_acquire);
      const Record& record = ring_[at % ring_.size()];
      const std::uint64_t life_and_complete = record.life_and_complete.load(std::memory_order_acquire);
      Standing standing;
      standing.life = life_and_complete >> 1;
      standing.freshness.complete = (life_and_complete & 1) != 0;
      standing.freshness.position.epoch.value = record.epoch.load(std::memory_order_acquire);
      standing.freshness.position.seq.value = record.seq.load(std::memory_order_acquire);
      standing.freshness.current_as_of.nanos = record.as_of.load(std::memory_order_acquire);
      standing.freshness.nonce.value = record.nonce.load(std::memory_order_acquire);
      if (published_.load(std::memory_order_relaxed) - at < ring_.size() - 1) return standing;
    }
  }

 private:
  struct Record {
    std::atomic<std::uint64_t> life_and_complete{0};
    std::atomic<std::uint64_t> epoch{0};
    std::atomic<std::uint64_t> seq{0};
    std::atomic<std::int64_t> as_of{0};
    std::atomic<std::uint64_t> nonce{0};
  };
  std::atomic<std::uint64_t> published_{0};
  std::array<Record, 16> ring_;
};

}  // namespace latchkey::view
