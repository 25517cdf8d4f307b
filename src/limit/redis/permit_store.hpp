#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "limit/redis/lease_protocol.hpp"

namespace latchkey::limit::lease {

/// One replica's way to the store of permits. One thread at a time; may block, for a bounded time.
class PermitStore {
 public:
  virtual ~PermitStore() = default;

  /// All in one round trip; one reply each, in order, and none where what the store holds of that key is not ours. On
  /// an error nothing is known of any of them: each may have been executed or not, and none may be repeated under its
  /// number. `unavailable`: may pass; `internal`: will not by itself.
  virtual Result<std::vector<std::optional<Reply>>> ask(std::span<const Call> calls) = 0;

  /// Says that this replica is there, or leaves, and answers how many are. Replicas say so several times a second: it
  /// also keeps the store's clock witnessed.
  enum class Presence : std::uint8_t { here, leaving };
  struct Announced {
    std::uint32_t replicas = 1;
    std::int64_t memory = 0;  // Reply::memory
  };
  virtual Result<Announced> announce(Presence presence) = 0;
};

}  // namespace latchkey::limit::lease
