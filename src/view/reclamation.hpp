#pragma once

// Epoch-based reclamation: readers of unlinked memory are waited for by the writer, never the other way round.
//
// A reader announces the current epoch in a slot of its own before it follows any shared pointer, and clears it when it
// is done. The writer unlinks a thing, retires it under the current epoch, moves the epoch on, and frees the thing once
// every announced epoch is a later one: a reader that announced a later epoch looked after the unlinking.
//
// The announcement and the loads after it, and the unlinking and the scan after it, are sequentially consistent:
// with less, a reader could follow the old pointer while the writer does not yet see its announcement.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace latchkey::view {

class Reclamation {
 public:
  /// More readers than this at one moment wait for one another.
  static constexpr std::size_t max_readers = 256;

  using Free = void (*)(void* owner, std::uint64_t what);

  Reclamation() = default;
  ~Reclamation() { free_all(); }
  Reclamation(const Reclamation&) = delete;
  Reclamation& operator=(const Reclamation&) = delete;

  // Readers, any thread.
  std::size_t enter() const;
  void leave(std::size_t slot) const { slots_[slot].epoch.store(0, std::memory_order_release); }

  // The writer.

  /// Calls `free(owner, what)` once no reader can hold it, later and in the order of retirement. It must be unlinked.
  void retire(Free free, void* owner, std::uint64_t what);
  /// Frees what can be freed now.
  void collect();
  /// Frees all that is retired; no reader may be left.
  void free_all();
  std::size_t waiting() const { return limbo_.size(); }

 private:
  // A scan of all slots is shared by this many retirements.
  static constexpr std::size_t retirements_per_scan = 64;

  struct alignas(64) Slot {
    std::atomic<std::uint64_t> epoch{0};  // 0: free
  };
  struct Retired {
    std::uint64_t epoch;
    Free free;
    void* owner;
    std::uint64_t what;
  };

  std::uint64_t oldest_announced() const;

  std::atomic<std::uint64_t> epoch_{1};
  mutable std::array<Slot, max_readers> slots_;
  std::deque<Retired> limbo_;  // the writer's
  std::size_t scan_at_ = retirements_per_scan;
};

}  // namespace latchkey::view
