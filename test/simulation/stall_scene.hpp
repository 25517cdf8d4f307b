#pragma once

// Three replicas of the limiter by leases that share one key which is always asked for too much, and a stall: of one
// replica's process, of all of them, of the store's, or of whatever carries their messages. Nothing else fails.

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "limit/redis/lease_book.hpp"
#include "limit/redis/permit_book.hpp"
#include "limit/redis/store_watch.hpp"
#include "node_clock.hpp"

namespace latchkey::simulation {

enum class Stalled : std::uint8_t { nothing, one_replica, all_replicas, store, messages };

struct Stall {
  Stalled what = Stalled::nothing;
  Time begins{};
  Duration lasts{};
};

class StallScene {
 public:
  StallScene(std::uint64_t seed, const Stall& stall, std::uint32_t requests_per_minute);
  /// When each request was admitted, by true time, in order.
  std::vector<Time> run(Duration lasts);

 private:
  struct Replica {
    explicit Replica(const NodeClock& its_clock) : clock(its_clock) {}
    NodeClock clock;
    limit::lease::LeaseBook book{clock, {}};
    limit::lease::StoreWatch watch;
    limit::lease::Caller caller{.replica = 0, .run = 1};
    std::uint64_t trips = 0;  // made; the last one is under way if it waits
    bool waits = false;
  };

  void request(Replica& replica);
  void work(Replica& replica);
  void announce(Replica& replica);
  void ask(Replica& replica);
  void went_down(Replica& replica);
  void tell(limit::lease::LeaseBook::DecidedList& list);

  /// One round trip of a replica: `serve` at the store, then `answered` or, after a while, `lost`.
  template <class Answer>
  void trip(Replica& replica, std::function<Answer(const limit::lease::Caller&)> serve,
            std::function<void(const Answer&, BootTime)> answered, std::function<void()> lost);
  /// What a replica does next; not while it is stalled.
  void next(Replica& replica, Duration delay, std::function<void()> what);
  /// Carries a message to the store, which takes it when it runs.
  void to_store(std::function<void()> what);
  bool is_on() const { return world_.now() >= stall_.begins && world_.now() < stall_.begins + stall_.lasts; }
  bool stands_still(const Replica& replica) const;
  Duration hop();

  const Stall stall_;
  const limit::Limit limit_;
  World world_;
  NodeClock store_clock_;
  limit::lease::PermitBook store_;
  KeyId key_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<Time> admitted_;
};

}  // namespace latchkey::simulation
