#include "limit/redis/lease_limiter.hpp"

#include <utility>

#include "base/log.hpp"
#include "limit/spin_lock.hpp"

namespace latchkey::limit {

using lease::Call;
using lease::LeaseBook;
using std::chrono::milliseconds;

namespace {

constexpr Duration tick_every = milliseconds(10);
constexpr Duration word_every = std::chrono::seconds(10);  // in the log, of a store that comes and goes

void tell(LeaseBook::DecidedList& decided) {
  for (auto& each : decided) each.done(each.decision);
  decided.clear();
}

}  // namespace

struct alignas(64) LeaseLimiter::Shard {
  Shard(const Clock& clock, const lease::LeaseBookConfig& config) : book(clock, config) {}
  SpinLock lock;
  LeaseBook book;  // guarded by lock
};

/// Calls of several shards, asked together.
class LeaseLimiter::Round {
 public:
  void take(Shard& shard, std::uint32_t replicas) {
    const std::size_t before = calls_.size();
    {
      const std::lock_guard guard(shard.lock);
      shard.book.take_calls(calls_, most_calls_a_round - before, replicas);
    }
    shards_.insert(shards_.end(), calls_.size() - before, &shard);
  }
  bool full() const { return calls_.size() >= most_calls_a_round; }
  const std::vector<Call>& calls() const { return calls_; }

  void replied(const std::vector<std::optional<lease::Reply>>& replies, LeaseBook::DecidedList& decided) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const std::lock_guard guard(shards_[i]->lock);
      LeaseBook& book = shards_[i]->book;
      replies[i] ? book.replied(calls_[i], *replies[i], decided) : book.lost(calls_[i], decided);
    }
  }
  void lost(LeaseBook::DecidedList& decided) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const std::lock_guard guard(shards_[i]->lock);
      shards_[i]->book.lost(calls_[i], decided);
    }
  }

 private:
  std::vector<Call> calls_;
  std::vector<Shard*> shards_;  // of each call
};

LeaseLimiter::LeaseLimiter(std::unique_ptr<lease::PermitStore> store, const Clock& clock, LeaseLimiterConfig config)
    : store_(std::move(store)), clock_(clock), config_(config) {
  for (std::size_t i = 0; i < std::size_t{1} << shard_bits; ++i) {
    shards_.push_back(std::make_unique<Shard>(clock, config.book));
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
  LeaseBook::DecidedList decided;
  Shard& shard = shard_of(key);
  bool call_to_make = false;
  {
    const std::lock_guard guard(shard.lock);
    call_to_make = shard.book.admit_later(key, limit, std::move(done), decided);
  }
  tell(decided);
  if (call_to_make) wake();
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
  }
  return total;
}

LeaseLimiter::Shard& LeaseLimiter::shard_of(const KeyId& key) const {
  return *shards_[std::hash<KeyId>()(key) >> (64 - shard_bits)];
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
  LeaseBook::DecidedList decided;
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->book.close();
  }
  while (ask()) {
  }
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->book.store_went_down(decided);
  }
  tell(decided);
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
  const auto replicas = store_->announce(lease::PermitStore::Presence::here);
  if (replicas) {
    replicas_ = std::max(1U, *replicas);
    return came_up();
  }
  LeaseBook::DecidedList decided;
  went_down(replicas.error(), decided);
  tell(decided);
}

/// One round trip for what is due; false: nothing was.
bool LeaseLimiter::ask() {
  Round round;
  for (const auto& shard : shards_) {
    if (!round.full()) round.take(*shard, replicas());
  }
  if (round.calls().empty()) return false;
  LeaseBook::DecidedList decided;
  const auto replies = store_->ask(round.calls());
  if (replies) {
    round.replied(*replies, decided);
    came_up();
  } else {
    round.lost(decided);
    went_down(replies.error(), decided);
  }
  tell(decided);
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
    call_to_make |= shard->book.has_calls();
  }
  if (call_to_make) wake();
}

void LeaseLimiter::went_down(const Error& error, LeaseBook::DecidedList& decided) {
  const BootTime now = clock_.boot();
  if (reachable_.exchange(false) && now >= next_word_) {
    log_error("limiter: {}: {}", error.detail, error.internal);
    next_word_ = now + word_every;
    complained_ = true;
  }
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->book.store_went_down(decided);
  }
}

void LeaseLimiter::came_up() {
  if (reachable_.exchange(true)) return;
  if (std::exchange(complained_, false)) log_info("limiter: the shared store answers again");
  for (const auto& shard : shards_) {
    const std::lock_guard guard(shard->lock);
    shard->book.store_came_up();
  }
}

}  // namespace latchkey::limit
