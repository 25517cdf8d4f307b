#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "limit/rate_limiter.hpp"
#include "limit/redis/charge_book.hpp"
#include "limit/redis/lease_book.hpp"
#include "limit/redis/permit_store.hpp"

namespace latchkey::limit {

struct LeaseLimiterConfig {
  lease::LeaseBookConfig book{};
  Duration announce_every = std::chrono::milliseconds(200);
};

/// The limiter of many replicas: exact over all of them, by leases from one store (lease_protocol.hpp).
///
/// A request of a key that has a leased permit, or surely none to be had, is decided at once under one shard's lock and
/// allocates nothing. Others wait for the store, which one thread of the limiter's own asks, for all keys that are due
/// in one round trip; I/O threads never wait for it. When a round trip fails, all that wait are decided (503, or
/// admitted and counted where the configuration says so), and so is at once every request that comes until the store
/// answers again; what it has counted stays counted.
class LeaseLimiter final : public RateLimiter {
 public:
  /// `clock` outlives the limiter.
  LeaseLimiter(std::unique_ptr<lease::PermitStore> store, const Clock& clock, LeaseLimiterConfig config = {});
  /// Returns what is left of the leases and decides the requests that still wait.
  ~LeaseLimiter() override;
  LeaseLimiter(const LeaseLimiter&) = delete;
  LeaseLimiter& operator=(const LeaseLimiter&) = delete;

  std::optional<Decision> try_admit(KeyId key, Limit limit) override;
  /// `done` is called by the limiter's thread, or before this returns; it must not block.
  void admit_later(KeyId key, Limit limit, Later done) override;
  /// What the store said last and what was spent since; asks it anew where that is older than a second.
  Allowance peek(KeyId key, Limit limit) override;
  /// Several limits, each of any kind: as above, with a lease of each.
  std::optional<Verdict> try_charge(const Charge& charge) override;
  void charge_later(const Charge& charge, VerdictLater done) override;
  Verdict look(const Charge& charge) override;

  /// For metrics; takes each lock in turn.
  lease::LeaseStats stats() const;
  bool reachable() const { return reachable_.load(std::memory_order_relaxed); }
  /// Replicas that share the limits, this one included, as far as is known.
  std::uint32_t replicas() const { return replicas_.load(std::memory_order_relaxed); }

 private:
  struct Shard;
  struct Answered;
  class Round;
  Shard& shard_of(const KeyId& key) const;
  Shard& shard_of(const Charge& charge) const;
  void wake();
  void run();
  bool sleep();
  void announce_if_due();
  bool ask();
  void tick_if_due();
  void went_down(const Error& error, Answered& decided);
  void came_up();

  static constexpr unsigned shard_bits = 6;
  static constexpr std::size_t most_calls_a_round = 512;

  const std::unique_ptr<lease::PermitStore> store_;
  const Clock& clock_;
  const LeaseLimiterConfig config_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<bool> reachable_{true};
  std::atomic<std::uint32_t> replicas_{1};

  // The thread's own.
  BootTime next_announcement_{};
  BootTime next_tick_{};
  BootTime next_word_{};
  bool complained_ = false;

  std::mutex mutex_;
  std::condition_variable woken_;
  bool work_ = false;      // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace latchkey::limit
