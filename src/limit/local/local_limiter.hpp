#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "limit/rate_limiter.hpp"

namespace latchkey::limit {

/// The limiter of one process: exact, in memory, always decides at once. Reads the clock's boot time only.
///
/// Keys are spread over shards, each with its own lock; a decision takes one lock, reads the clock under it, so that
/// stamps ascend as admissions do, and allocates nothing for a key that was seen before. Memory is bounded by the keys
/// admitted within the last 61 seconds, 320 bytes each and an index: what is idle longer is reused, a few blocks at a
/// call, and nothing that holds a permit is ever dropped. Memory once needed is reused, not given back to the system.
class LocalLimiter final : public RateLimiter {
 public:
  /// `clock` outlives the limiter.
  explicit LocalLimiter(const Clock& clock);
  ~LocalLimiter() override;
  LocalLimiter(const LocalLimiter&) = delete;
  LocalLimiter& operator=(const LocalLimiter&) = delete;

  /// Never nullopt, never `unavailable`. `limit.version` plays no part: within one process the caller's view decides.
  std::optional<Decision> try_admit(KeyId key, Limit limit) override;
  /// Calls `done` before it returns.
  void admit_later(KeyId key, Limit limit, Later done) override;
  Allowance peek(KeyId key, Limit limit) override;

  /// For metrics; takes each lock in turn.
  struct Size {
    std::size_t keys = 0;    // with a block: live, or idle and not yet swept
    std::size_t blocks = 0;  // allocated
  };
  Size size() const;

 private:
  struct Shard;
  struct Place;
  Place place_of(const KeyId& key) const;
  std::int64_t now_ms() const;
  Decision admit(const KeyId& key, Limit limit);

  // 10 million live keys make 10,000 a shard: growing its index, the longest single step, stays near 0.1 ms.
  static constexpr unsigned shard_bits = 10;

  const Clock& clock_;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace latchkey::limit
