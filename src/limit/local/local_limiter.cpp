#include "limit/local/local_limiter.hpp"

#include <mutex>
#include <utility>

#include "base/log.hpp"
#include "limit/local/key_table.hpp"
#include "limit/spin_lock.hpp"

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

LocalLimiter::LocalLimiter(const Clock& clock, LimitFile file)
    : clock_(clock),
      pool_(std::move(file)),
      unknown_until_ms_(pool_.file().recording_since_ms()),
      shards_(std::make_unique<Shard[]>(shard_count)) {
  for (std::size_t i = 0; i < shard_count; ++i) shards_[i].keys.use(pool_);
  adopt_all();
}

/// Of two blocks of one key, which no process leaves, neither can be believed.
void LocalLimiter::adopt_all() {
  const std::int64_t now = now_ms();
  pool_.inherit([&](std::uint32_t number) {
    KeyBlock& found = pool_.at(number);
    found.permits.recover(now);
    if (found.permits.idle(now)) return false;
    const Place place = place_of(found.key);
    if (KeyWindow* twin = place.shard.keys.find(found.key, place.hash)) {
      twin->distrust(now);
      return false;
    }
    place.shard.keys.adopt(number, place.hash);
    return true;
  });
}

LocalLimiter::~LocalLimiter() = default;

std::optional<Decision> LocalLimiter::try_admit(KeyId key, Limit limit) { return admit(key, limit); }

void LocalLimiter::admit_later(KeyId key, Limit limit, Later done) { done(admit(key, limit)); }

Allowance LocalLimiter::peek(KeyId key, Limit limit) {
  const Place place = place_of(key);
  const std::lock_guard guard(place.shard.lock);
  const std::int64_t now = now_ms();
  const UnknownPast past = unknown_past(now);
  if (past.matters(now)) return {.remaining = 0, .reset_seconds = past.seconds_to_wait(now)};
  KeyWindow* known = place.shard.keys.find(key, place.hash);
  if (known == nullptr) return {.remaining = limit.requests_per_minute, .reset_seconds = 0};
  return known->peek(now, limit.requests_per_minute);
}

void LocalLimiter::expect(std::span<const KeyId> keys) {
  const auto each = [&](void (KeyTable::*fetch)(std::uint32_t) const) {
    for (const KeyId& key : keys) {
      const Place place = place_of(key);
      const std::lock_guard guard(place.shard.lock);
      (place.shard.keys.*fetch)(place.hash);
    }
  };
  if (keys.size() > 1) each(&KeyTable::prefetch_place);  // of one key, the next step would wait for it all the same
  each(&KeyTable::prefetch);
}

LocalLimiter::Size LocalLimiter::size() const {
  Size total;
  for (std::size_t i = 0; i < shard_count; ++i) {
    const std::lock_guard guard(shards_[i].lock);
    total.keys += shards_[i].keys.size();
  }
  total.blocks = pool_.made();
  return total;
}

void LocalLimiter::keep() {
  pool_.file().mark();
  const bool lost = !pool_.file().is_at_its_path();
  if (lost && !lost_) {
    log_warning(
        "limits: the file of the permits was removed or replaced: limits hold as long as this process runs, and after "
        "a restart every key counts as used up for a minute");
  }
  lost_ = lost;
}

std::uint32_t LocalLimiter::seconds_of_unknown_past() const {
  const std::int64_t now = now_ms();
  const UnknownPast past{unknown_until_ms_.load(std::memory_order_relaxed)};
  return past.matters(now) ? past.seconds_to_wait(now) : 0;
}

LocalLimiter::Place LocalLimiter::place_of(const KeyId& key) const {
  const std::uint64_t hash = std::hash<KeyId>()(key);
  return {shards_[hash >> (64 - shard_bits)], static_cast<std::uint32_t>(hash >> (32 - shard_bits))};
}

namespace {

Decision refusal_for(UnknownPast past, std::int64_t now_ms) {
  const std::uint32_t wait = past.seconds_to_wait(now_ms);
  return {.reset_seconds = wait, .retry_after_seconds = wait};
}

}  // namespace

std::int64_t LocalLimiter::now_ms() const { return clock_.boot().nanos / 1'000'000; }

Decision LocalLimiter::admit(const KeyId& key, Limit limit) {
  constexpr std::uint32_t calls_per_sweep = 16;  // an insertion sweeps more; this finds idle keys when none come new
  constexpr std::uint32_t places_a_call = 3;
  const Place place = place_of(key);
  const std::lock_guard guard(place.shard.lock);
  const std::int64_t now = now_ms();
  if (const UnknownPast past = unknown_past(now); past.matters(now)) [[unlikely]]
    return refusal_for(past, now);
  KeyTable& keys = place.shard.keys;
  if (++place.shard.calls % calls_per_sweep == 0) keys.sweep(places_a_call, now);
  KeyWindow* known = keys.find(key, place.hash);
  if (known == nullptr) known = &keys.insert(key, place.hash, now);
  const Decision decision = known->try_admit(now, limit.requests_per_minute);
  // The file may have been cut off under this very call, which then read zeros.
  if (const UnknownPast past = unknown_past(now); past.matters(now)) [[unlikely]]
    return refusal_for(past, now);
  return decision;
}

/// As of now, of which the caller read the clock: a file that was cut off knows nothing of before.
UnknownPast LocalLimiter::unknown_past(std::int64_t now_ms) {
  if (pool_.file().was_cut() && !cut_was_noted_.load(std::memory_order_relaxed)) [[unlikely]] {
    unknown_until_ms_.store(now_ms, std::memory_order_relaxed);
    if (!cut_was_noted_.exchange(true)) {
      log_error("limits: somebody shortened the file of permits under us: every key counts as used up for a minute");
    }
  }
  return {unknown_until_ms_.load(std::memory_order_relaxed)};
}

}  // namespace latchkey::limit
