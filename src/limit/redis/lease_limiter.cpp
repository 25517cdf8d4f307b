#include "limit/redis/lease_limiter.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "limit/spin_lock.hpp"

namespace latchkey::limit {

using lease::Call;
using lease::ChargeBook;
using lease::LeaseBook;
using std::chrono::milliseconds;

namespace {

constexpr Duration tick_every = milliseconds(10);
constexpr Duration word_every = std::chrono::seconds(10);  // in the log, of a store that comes and goes

}  // namespace

/// Requests that are decided, and are told so once no lock is held.
struct LeaseLimiter::Answered {
  LeaseBook::DecidedList decided;
  ChargeBook::DecidedList charged;
  void tell() {
    for (auto& each : decided) each.done(each.decision);
    for (auto& each : charged) each.done(each.verdict);
    decided.clear();
    charged.clear();
  }
};

struct alignas(64) LeaseLimiter::Shard {
  Shard(const Clock& clock, const lease::LeaseBookConfig& config, std::uint64_t number)
      : book(clock, config), charges(clock, config, number) {}
  SpinLock lock;
  LeaseBook book;      // guarded by lock
  ChargeBook charges;  // guarded by lock

  // With the lock held.
  void replied(const Call& call, const lease::Reply& reply, Answered& answered) {
    call.holder == 0 ? book.replied(call, reply, answered.decided) : charges.replied(call, reply, answered.charged);
  }
  void lost(const Call& call, Answered& answered) {
    call.holder == 0 ? book.lost(call, answered.decided) : charges.lost(call, answered.charged);
  }
  void store_went_down(Answered& answered) {
    book.store_went_down(answered.decided);
    charges.store_went_down(answered.charged);
  }
};

/// Calls of several shards, asked together.
class LeaseLimiter::Round {
 public:
  void take(Shard& shard, std::uint32_t replicas) {
    const std::size_t before = calls_.size();
    {
      const std::lock_guard guard(shard.lock);
      shard.book.take_calls(calls_, most_calls_a_round - before, replicas);
      shard.charges.take_calls(calls_, most_calls_a_round - calls_.size(), replicas);
    }
    shards_.insert(shards_.end(), calls_.size() - before, &shard);
  }
  bool full() const { return calls_.size() >= most_calls_a_round; }
  const std::vector<Call>& calls() const { return calls_; }

  void replied(const std::vector<std::optional<lease::Reply>>& replies, Answered& answered) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const std::lock_guard guard(shards_[i]->lock);
      replies[i] ? shards_[i]->replied(calls_[i], *replies[i], answered) : shards_[i]->lost(calls_[i], answered);
    }
  }
  void lost(Answered& answered) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const std::lock_guard guard(shards_[i]->lock);
      shards_[i]->lost(calls_[i], answered);
    }
  }

 private:
  std::vector<Call> calls_;
  std::vector<Shard*> shards_;  // of each call
};

LeaseLimiter::LeaseLimiter(std::unique_ptr<lease::PermitStore> store, const Clock& clock, LeaseLimiterConfig config)
    : store_(std::move(store)), clock_(clock), config_(config) {
  for (std::size_t i = 0; i < std::size_t{1} << shard_bits; ++i) {
    shards_.push_back(std::make_unique<Shard>(clock, config.book, i + 1));
  }
  thread_ = std::thread([this] { run(); });
}

LeaseLimiter::~LeaseLimiter() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  woken_.notify_one();
  thread_.join();
}

std::optional<Decision> LeaseLimiter::try_admit(KeyId key, Limit limit) {
  Shard& shard = shard_of(key);
  const std::lock_guard guard(shard.lock);
  return shard.book.try_admit(key, limit);
}

void LeaseLimiter::admit_later(KeyId key, Limit limit, Later done) {
  Answered answered;
  Shard& shard = shard_of(key);
  bool call_to_make = false;
  {
    const std::lock_guard guard(shard.lock);
    call_to_make = shard.book.admit_later(key, limit, std::move(done), answered.decided);
  }
  answered.tell();
  if (call_to_make) wake();
}

std::optional<Verdict> LeaseLimiter::try_charge(const Charge& charge) {
  Shard& shard = shard_of(charge);
  const std::lock_guard guard(shard.lock);
  return shard.charges.try_charge(charge);
}

void LeaseLimiter::charge_later(const Charge& charge, VerdictLater done) {
  Answered answered;
  Shard& shard = shard_of(charge);
  bool call_to_make = false;
  {
    const std::lock_guard guard(shard.lock);
    call_to_make = shard.charges.charge_later(charge, std::move(done), answered.charged);
  }
  answered.tell();
  if (call_to_make) wake();
}

Verdict LeaseLimiter::look(const Charge& charge) {
  Shard& shard = shard_of(charge);
  ChargeBook::Looked looked;
  {
    const std::lock_guard guard(shard.lock);
    looked = shard.charges.look(charge);
  }
  if (looked.call_to_make) wake();
  return looked.verdict;
}

Allowance LeaseLimiter::peek(KeyId key, Limit limit) {
  Shard& shard = shard_of(key);
  LeaseBook::Peeked peeked;
  {
    const std::lock_guard guard(shard.lock);
    peeked = shard.book.peek(key, limit);
  }
  if (peeked.call_to_make) wake();
  return peeked.allowance;
}

lease::LeaseStats LeaseLimiter::stats() const {
  lease::LeaseStats total;
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    total += shard->book.stats();
    total += shard->charges.stats();
  }
  return total;
}

LeaseLimiter::Shard& LeaseLimiter::shard_of(const KeyId& key) const {
  return *shards_[std::hash<KeyId>()(key) >> (64 - shard_bits)];
}

/// All counters of a request stand in one shard: its user's, where a limit is per user. When the limits of a key become
/// such, the leases of before run out in another shard, as if another replica held them.
LeaseLimiter::Shard& LeaseLimiter::shard_of(const Charge& charge) const {
  return shard_of(std::ranges::any_of(charge.limits, &ActiveLimit::per_user) ? charge.user : charge.key);
}

void LeaseLimiter::wake() {
  {
    const std::lock_guard guard(mutex_);
    if (std::exchange(work_, true)) return;
  }
  woken_.notify_one();
}

void LeaseLimiter::run() {
  while (sleep()) {
    announce_if_due();
    while (ask()) {
    }
    tick_if_due();
  }
  Answered answered;
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->book.close();
    shard->charges.close();
  }
  while (ask()) {
  }
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->store_went_down(answered);
  }
  answered.tell();
  (void)store_->announce(lease::PermitStore::Presence::leaving);
}

/// Until there is work, or something may have become due; false: stop.
bool LeaseLimiter::sleep() {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, tick_every, [this] { return work_ || stopping_; });
  work_ = false;
  return !stopping_;
}

/// While the store is down this is what finds it up again.
void LeaseLimiter::announce_if_due() {
  const BootTime now = clock_.boot();
  if (now < next_announcement_) return;
  next_announcement_ = now + config_.announce_every;
  const auto announced = store_->announce(lease::PermitStore::Presence::here);
  if (!announced) {
    Answered answered;
    went_down(announced.error(), answered);
    return answered.tell();
  }
  replicas_ = std::max(1U, announced->replicas);
  came_up();
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->charges.store_remembers(announced->memory);
  }
}

/// One round trip for what is due; false: nothing was.
bool LeaseLimiter::ask() {
  Round round;
  for (const auto& shard : shards_) {
    if (!round.full()) round.take(*shard, replicas());
  }
  if (round.calls().empty()) return false;
  Answered answered;
  const auto replies = store_->ask(round.calls());
  if (replies) {
    round.replied(*replies, answered);
    came_up();
  } else {
    round.lost(answered);
    went_down(replies.error(), answered);
  }
  answered.tell();
  return true;
}

void LeaseLimiter::tick_if_due() {
  const BootTime now = clock_.boot();
  if (now < next_tick_) return;
  next_tick_ = now + tick_every;
  bool call_to_make = false;
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->book.tick();
    shard->charges.tick();
    call_to_make |= shard->book.has_calls() || shard->charges.has_calls();
  }
  if (call_to_make) wake();
}

void LeaseLimiter::went_down(const Error& error, Answered& answered) {
  const BootTime now = clock_.boot();
  if (reachable_.exchange(false) && now >= next_word_) {
    log_error("limiter: {}: {}", error.detail, error.internal);
    next_word_ = now + word_every;
    complained_ = true;
  }
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->store_went_down(answered);
  }
}

void LeaseLimiter::came_up() {
  if (reachable_.exchange(true)) return;
  if (std::exchange(complained_, false)) log_info("limiter: the shared store answers again");
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->book.store_came_up();
    shard->charges.store_came_up();
  }
}

}  // namespace latchkey::limit
