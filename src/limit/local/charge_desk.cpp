#include "limit/local/charge_desk.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <span>

namespace latchkey::limit {
namespace {

constexpr std::int64_t ns_a_second = 1'000'000'000;

/// Locks one shard, or two in the order of their numbers.
class ShardGuard {
 public:
  ShardGuard(Shards& shards, std::size_t a, std::size_t b)
      : first_(shards.keys[std::min(a, b)].lock), second_(a == b ? nullptr : &shards.keys[std::max(a, b)].lock) {
    if (second_ != nullptr) second_->lock();
  }
  ~ShardGuard() {
    if (second_ != nullptr) second_->unlock();
  }
  ShardGuard(const ShardGuard&) = delete;
  ShardGuard& operator=(const ShardGuard&) = delete;

 private:
  const std::lock_guard<SpinLock> first_;
  SpinLock* const second_;
};

bool is_plain(const ActiveLimit& limit) { return limit.counter == per_minute_counter; }

std::uint32_t seconds_up(std::int64_t ns) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(most, (ns + ns_a_second - 1) / ns_a_second));
}

Fit to_fit(const KeyWindow::Fit& fit) {
  return {.fits = fit.fits,
          .used = fit.used,
          .wait_ns = fit.wait_seconds * ns_a_second,
          .reset_ns = fit.reset_seconds * ns_a_second};
}

/// What is not known counts as used, on top of what was counted since (a limit that observes admits all the same).
Fit with_unknown(UnknownPast past, std::int64_t now_ms, const Fit& known) {
  const std::int64_t wait = past.seconds_to_wait(now_ms) * ns_a_second;
  return {.fits = false,
          .used = std::numeric_limits<std::uint32_t>::max(),
          .wait_ns = std::max(wait, known.wait_ns),
          .reset_ns = std::max(wait, known.reset_ns)};
}

}  // namespace

/// One charge at one moment, under its locks.
struct ChargeDesk::Work {
  Work(const Charge& of, std::uint32_t units, std::size_t key, std::size_t user)
      : charge(of), cost(units), key_shard(key), user_shard(user) {}

  const Charge& charge;
  std::uint32_t cost;
  std::size_t key_shard;
  std::size_t user_shard;
  std::int64_t now_ns = 0;
  bool past_was_known = true;
  std::optional<LongNow> long_now;
  bool ledger_has_work = false;
  std::array<Fit, max_limits> fits{};

  std::size_t size() const { return std::min(charge.limits.size(), max_limits); }
  const ActiveLimit& limit(std::size_t i) const { return charge.limits[i]; }
  CounterId id(std::size_t i) const { return charge.counter(limit(i)); }
  std::int64_t now_ms() const { return now_ns / 1'000'000; }
  CounterShard& counters(Shards& shards, std::size_t i) const {
    return shards.counters[limit(i).per_user ? user_shard : key_shard];
  }
  KeyTable& keys(Shards& shards) const { return shards.keys[key_shard].keys; }
};

// The clocks are read under the locks, so that stamps ascend as admissions do.
ChargeDesk::Decided ChargeDesk::decide(const Charge& charge, Then then) {
  const bool per_user = std::ranges::any_of(charge.limits, &ActiveLimit::per_user);
  const std::size_t key_shard = Shards::number_of(charge.key);
  Work work(charge, then == Then::look ? 0 : charge.cost, key_shard,
            per_user ? Shards::number_of(charge.user) : key_shard);
  const ShardGuard guard(shards_, work.key_shard, work.user_shard);
  work.now_ns = clock_.boot().nanos;
  if (std::ranges::any_of(charge.limits, LongCounters::is_long)) work.long_now = long_clock_.now();
  work.past_was_known = !unknown_past_(work.now_ms()).matters(work.now_ms());
  Verdict verdict = judge(work);
  if (then == Then::look) verdict.outcome = Outcome::admitted;
  if (then == Then::look || verdict.outcome != Outcome::admitted) return {fill(work, verdict, 0)};
  if (!has_room(work)) return {Verdict{.outcome = Outcome::full, .retry_after_seconds = 1}};
  const auto fits = std::span(work.fits).first(work.size());
  if (!std::ranges::all_of(fits, &Fit::is_set_aside)) {
    if (then == Then::want) want(work);
    return {std::nullopt, then == Then::want};
  }
  for (std::size_t i = 0; i < work.size(); ++i) take(work, i);
  return {fill(work, verdict, work.cost), work.ledger_has_work};
}

/// What each limit says, and what follows.
Verdict ChargeDesk::judge(Work& work) {
  Verdict verdict;
  verdict.count = work.size();
  for (std::size_t i = 0; i < work.size(); ++i) {
    const ActiveLimit& limit = work.limit(i);
    work.fits[i] = fit(work, i, work.cost);
    if (work.fits[i].fits) continue;
    Standing& standing = verdict.standings[i];
    (limit.observe ? standing.would_limit : standing.refuses) = true;
    if (limit.observe) continue;
    verdict.retry_after_seconds = std::max({verdict.retry_after_seconds, seconds_up(work.fits[i].wait_ns), 1U});
    const bool never = work.cost > limit.requests || verdict.outcome == Outcome::cost_exceeds_limit;
    verdict.outcome = never ? Outcome::cost_exceeds_limit : Outcome::limited;
  }
  return verdict;
}

Fit ChargeDesk::fit(Work& work, std::size_t i, std::uint32_t cost) {
  const ActiveLimit& limit = work.limit(i);
  if (LongCounters::is_long(limit)) {
    return work.counters(shards_, i).longs.fit(work.id(i), limit, *work.long_now, cost);
  }
  const Fit known = is_plain(limit) ? plain_fit(work, limit, cost) : short_fit(work, i, cost);
  const UnknownPast past = unknown_past_(work.now_ms());
  return past.matters(work.now_ms()) ? with_unknown(past, work.now_ms(), known) : known;
}

Fit ChargeDesk::plain_fit(Work& work, const ActiveLimit& limit, std::uint32_t cost) {
  KeyWindow* known = work.keys(shards_).find(work.charge.key, Shards::place_hash(work.charge.key));
  return known == nullptr ? Fit{.fits = cost <= limit.requests}
                          : to_fit(known->fit(work.now_ms(), limit.requests, cost));
}

Fit ChargeDesk::short_fit(Work& work, std::size_t i, std::uint32_t cost) {
  const std::uint32_t requests = work.limit(i).requests;
  WindowBlock* known = work.counters(shards_, i).windows.find(work.id(i));
  return known == nullptr ? Fit{.fits = cost <= requests} : known->permits.fit(work.now_ns, requests, cost);
}

/// For each counter that is not there yet.
bool ChargeDesk::has_room(Work& work) {
  const auto finds_room = [&](std::size_t i) {
    const ActiveLimit& limit = work.limit(i);
    CounterShard& counters = work.counters(shards_, i);
    if (LongCounters::is_long(limit)) return counters.longs.knows(work.id(i), limit) || room_.has_room();
    if (!is_plain(limit)) return counters.windows.find(work.id(i)) != nullptr || room_.has_room();
    KeyTable& keys = work.keys(shards_);
    return keys.find(work.charge.key, Shards::place_hash(work.charge.key)) != nullptr || room_.has_room();
  };
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (!finds_room(i)) return false;
  }
  return true;
}

void ChargeDesk::take(Work& work, std::size_t i) {
  const ActiveLimit& limit = work.limit(i);
  if (LongCounters::is_long(limit)) {
    const bool is_news = work.counters(shards_, i).longs.take(work.id(i), limit, *work.long_now, work.cost);
    work.ledger_has_work = work.ledger_has_work || is_news;
  } else if (is_plain(limit)) {
    key_window(work).take_units(work.now_ms(), limit.requests, work.cost);
  } else {
    SlidingWindow& permits = short_window(work, i);
    permits.fit(work.now_ns, limit.requests, 0);  // a fresh one comes to the present
    permits.take(work.cost);
  }
}

void ChargeDesk::want(Work& work) {
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (work.fits[i].is_set_aside) continue;
    work.counters(shards_, i).longs.want(work.id(i), work.limit(i), *work.long_now, work.cost);
  }
}

KeyWindow& ChargeDesk::key_window(Work& work) {
  constexpr std::uint32_t places_a_call = 3;
  KeyTable& keys = work.keys(shards_);
  const std::uint32_t hash = Shards::place_hash(work.charge.key);
  if (KeyWindow* known = keys.find(work.charge.key, hash)) return *known;
  keys.sweep(places_a_call, work.now_ms());
  return keys.insert(work.charge.key, hash, work.now_ms());
}

SlidingWindow& ChargeDesk::short_window(Work& work, std::size_t i) {
  constexpr std::uint32_t places_a_call = 8;
  WindowTable& windows = work.counters(shards_, i).windows;
  if (WindowBlock* known = windows.find(work.id(i))) return known->permits;
  windows.sweep(places_a_call, [&](const WindowBlock& block) { return block.permits.idle(work.now_ns); });
  windows.storage().expect(work.limit(i).window_seconds);
  return windows.insert(work.id(i)).permits;
}

/// What remains of each limit after `taken`. Of a file that was cut off under this very call, nothing that it said is
/// believed.
Verdict ChargeDesk::fill(Work& work, Verdict verdict, std::uint32_t taken) {
  for (std::size_t i = 0; i < work.size(); ++i) {
    const ActiveLimit& limit = work.limit(i);
    Fit& found = work.fits[i];
    if (taken > 0 && found.used == 0) found.reset_ns = fit(work, i, 0).reset_ns;
    const std::uint64_t used = found.used + taken;
    verdict.standings[i].remaining = used < limit.requests ? static_cast<std::uint32_t>(limit.requests - used) : 0;
    verdict.standings[i].reset_seconds = seconds_up(found.reset_ns);
  }
  const UnknownPast past = unknown_past_(work.now_ms());
  if (taken == 0 || !work.past_was_known || !past.matters(work.now_ms())) return verdict;
  verdict.outcome = Outcome::limited;
  verdict.retry_after_seconds = past.seconds_to_wait(work.now_ms());
  return verdict;
}

}  // namespace latchkey::limit
