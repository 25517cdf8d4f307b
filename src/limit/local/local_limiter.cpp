#include "limit/local/local_limiter.hpp"

#include <mutex>
#include <utility>

#include "base/log.hpp"
#include "limit/local/key_table.hpp"
#include "limit/spin_lock.hpp"

namespace latchkey::limit {

struct LocalLimiter::Place {
  KeyShard& shard;
  std::uint32_t hash;
};

LocalLimiter::LocalLimiter(const Clock& clock, LimitFile file, LongTerm long_term, std::size_t max_counters)
    : clock_(clock),
      room_(max_counters),
      pool_(std::move(file), room_),
      unknown_until_ms_(pool_.file().recording_since_ms()),
      shards_(pool_),
      long_clock_(clock, long_term.boot, long_term.mark()),
      desk_(shards_, room_, clock, long_clock_, [this](std::int64_t now_ms) { return unknown_past(now_ms); }),
      ledger_(std::move(long_term.ledger)) {
  adopt_all();
  adopt_ledger(long_term.content);
  if (ledger_ == nullptr) return;
  reserver_ = std::make_unique<Reserver>(*ledger_, clock_, static_cast<ReserverHost&>(*this));
  if (long_term.own_thread) reserver_->start();
}

void LocalLimiter::adopt_all() {
  const std::int64_t now = now_ms();
  pool_.inherit([&](std::uint32_t number) {
    return pool_.at(number).use == KeyBlock::Use::other_window ? adopt_window(number, now) : adopt(number, now);
  });
}

/// Of two blocks of one key, which no process leaves, neither can be believed.
bool LocalLimiter::adopt(std::uint32_t number, std::int64_t now_ms) {
  KeyBlock& found = pool_.at(number);
  found.permits.recover(now_ms);
  if (found.permits.idle(now_ms)) return false;
  const Place place = place_of(found.key);
  if (KeyWindow* twin = place.shard.keys.find(found.key, place.hash)) {
    twin->distrust(now_ms);
    return false;
  }
  place.shard.keys.adopt(number, place.hash);
  return true;
}

bool LocalLimiter::adopt_window(std::uint32_t number, std::int64_t now_ms) {
  WindowBlock& found = pool_.window_at(number);
  found.permits.recover(now_ms * 1'000'000 + 999'999);
  if (found.permits.idle(now_ms * 1'000'000)) return false;
  WindowTable& windows = shards_.counters[Shards::number_of(found.owner)].windows;
  if (WindowBlock* twin = windows.find(found.id())) {
    twin->permits.distrust(now_ms * 1'000'000);
    return false;
  }
  windows.adopt(number);
  room_.take(1);
  return true;
}

LocalLimiter::~LocalLimiter() { reserver_.reset(); }  // it still asks this

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
  for (std::size_t i = 0; i < Shards::count; ++i) {
    const std::lock_guard guard(shards_.keys[i].lock);
    total.keys += shards_.keys[i].keys.size();
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
  long_clock_.observe();
  if (reserver_ != nullptr) reserver_->expire();
  sweep_long();
  warn_of_room();
}

std::uint32_t LocalLimiter::seconds_of_unknown_past() const {
  const std::int64_t now = now_ms();
  const UnknownPast past{unknown_until_ms_.load(std::memory_order_relaxed)};
  return past.matters(now) ? past.seconds_to_wait(now) : 0;
}

LocalLimiter::Place LocalLimiter::place_of(const KeyId& key) const {
  const std::uint64_t hash = std::hash<KeyId>()(key);
  return {shards_.keys[hash >> (64 - Shards::bits)], static_cast<std::uint32_t>(hash >> (32 - Shards::bits))};
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
  if (known == nullptr) {
    if (!room_.has_room()) return {.retry_after_seconds = 1, .full = true};
    known = &keys.insert(key, place.hash, now);
  }
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
