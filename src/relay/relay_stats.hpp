#pragma once

#include <atomic>
#include <cstdint>

namespace latchkey::relay {

/// Any thread.
struct RelayStats {
  std::atomic<std::uint64_t> appended{0};
  std::atomic<std::uint64_t> duplicates{0};   // another relay was first
  std::atomic<std::uint64_t> refused{0};      // appends to a life that was over, or of a fork
  std::atomic<std::uint64_t> beats{0};        // heartbeats written
  std::atomic<std::uint64_t> ended{0};        // lives this relay ended
  std::atomic<std::uint64_t> begun{0};        // lives this relay began
  std::atomic<std::uint64_t> snapshots{0};    // attached to a life that went on
  std::atomic<std::uint64_t> unavailable{0};  // failures of store or stream
};

}  // namespace latchkey::relay
