#pragma once

// Replicas of the limiter by leases, with the production's LeaseBook and StoreWatch, over a network, machines and a
// store that fail. What is judged by true time: in no interval of `judged` more admissions of a key than its limit,
// over all replicas; and once all is quiet, a key with free permits is admitted.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "limit/redis/lease_book.hpp"
#include "limit/redis/store_watch.hpp"
#include "limiter_store.hpp"
#include "network.hpp"

namespace latchkey::simulation {

struct Weather {
  std::size_t replicas = 3;
  Duration lasts = std::chrono::seconds(240);
  double drift = limit::lease::drift;  // clocks of replicas run at 1 / (1 + drift) to 1 + drift of true time
  NetworkFaults network{};
  Duration judged = limit::window;
  // How often each happens, on average; 0: never.
  Duration stall{}, crash{}, cut{}, store_step{}, unmet_step{}, store_loss{}, store_forgets{}, limit_change{},
      restore{};
  /// The second half of the contract, which holds exactly while nobody else holds permits and none is burnt.
  bool refusals_judged = false;

  /// One of several climates, by the seed.
  static Weather of(std::uint64_t seed);
};

struct Outcome {
  enum class Kind : std::uint8_t { none, over_the_limit, refused_without_need, stuck } kind = Kind::none;
  std::string violation;  // the first that was seen
  std::uint64_t admitted = 0, refused = 0, unavailable = 0, calls = 0, faults = 0;
};

class LimiterSimulation {
 public:
  LimiterSimulation(std::uint64_t seed, const Weather& weather, Bug bug);
  ~LimiterSimulation();
  Outcome run();

 private:
  struct Replica;
  struct Key;

  void start(Replica& replica);
  void begin_faults();
  void step_unmet();
  void every(Duration mean, std::function<void()> fault);
  void change_limit(Key& key);
  void restore(Key& key);
  void tell_views(Key& key);
  void quiet_down();
  void check_liveness();

  void request_again(Key& key);
  void request(Replica& replica, Key& key);
  void decided(Key& key, Time asked, const limit::Decision& decision);
  void judge_admission(Key& key);
  void judge_refusal(Key& key, Time asked);

  void tick(Replica& replica, std::uint64_t life);
  void announce(Replica& replica, std::uint64_t life);
  void make_calls(Replica& replica);
  void call(Replica& replica, const limit::lease::Call& call);
  void executed(Replica& replica, std::uint64_t life, const limit::lease::Caller& caller,
                const limit::lease::Call& call, BootTime sent);
  void timed_out(Replica& replica, const limit::lease::Call& call);
  void meet(Replica& replica);
  void reconnect(Replica& replica);
  void met_another_run(Replica& replica);
  void violated(Outcome::Kind kind, std::string how);
  void tell(limit::lease::LeaseBook::DecidedList& list);
  void note_named(const limit::lease::Call& call);
  Replica& any_replica();
  Key& any_key();
  Key& key_of(const KeyId& id);

  const Weather weather_;
  const Bug bug_;
  World world_;
  Network network_;
  LimiterStore store_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<std::unique_ptr<Key>> keys_;
  bool quiet_ = false;
  Outcome outcome_;
};

}  // namespace latchkey::simulation
