#include "limit/local/local_limiter.hpp"

#include <mutex>
#include <utility>

#include "limit/local/key_table.hpp"
#include "limit/local/spin_lock.hpp"

namespace latchkey::limit {

struct alignas(64) LocalLimiter::Shard {
  SpinLock lock;
  std::uint32_t calls = 0;  // guarded by lock
  KeyTable keys;            // guarded by lock
};

struct LocalLimiter::Place {
  Shard& shard;
  std::uint32_t hash;
};

LocalLimiter::LocalLimiter(const Clock& clock)
    : clock_(clock), shards_(std::make_unique<Shard[]>(std::size_t{1} << shard_bits)) {}

LocalLimiter::~LocalLimiter() = default;

std::optional<Decision> LocalLimiter::try_admit(KeyId key, Limit limit) { return admit(key, limit); }

void LocalLimiter::admit_later(KeyId key, Limit limit, Later done) { done(admit(key, limit)); }

Allowance LocalLimiter::peek(KeyId key, Limit limit) {
  const Place place = place_of(key);
  const std::lock_guard guard(place.shard.lock);
  KeyWindow* known = place.shard.keys.find(key, place.hash);
  if (known == nullptr) return {.remaining = limit.requests_per_minute, .reset_seconds = 0};
  return known->peek(now_ms(), limit.requests_per_minute);
}

LocalLimiter::Size LocalLimiter::size() const {
  Size total;
  for (std::size_t i = 0; i < std::size_t{1} << shard_bits; ++i) {
    const std::lock_guard guard(shards_[i].lock);
    total.keys += shards_[i].keys.size();
    total.blocks += shards_[i].keys.capacity();
  }
  return total;
}

LocalLimiter::Place LocalLimiter::place_of(const KeyId& key) const {
  const std::uint64_t hash = std::hash<KeyId>()(key);
  return {shards_[hash >> (64 - shard_bits)], static_cast<std::uint32_t>(hash >> (32 - shard_bits))};
}

std::int64_t LocalLimiter::now_ms() const { return clock_.boot().nanos / 1'000'000; }

Decision LocalLimiter::admit(const KeyId& key, Limit limit) {
  constexpr std::uint32_t calls_per_sweep = 16;  // an insertion sweeps more; this finds idle keys when none come new
  const Place place = place_of(key);
  const std::lock_guard guard(place.shard.lock);
  const std::int64_t now = now_ms();
  KeyTable& keys = place.shard.keys;
  if (++place.shard.calls % calls_per_sweep == 0) keys.sweep(1, now);
  KeyWindow* known = keys.find(key, place.hash);
  if (known == nullptr) known = &keys.insert(key, place.hash, now);
  return known->try_admit(now, limit.requests_per_minute);
}

}  // namespace latchkey::limit
