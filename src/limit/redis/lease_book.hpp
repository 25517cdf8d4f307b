#pragma once

// The keys of one shard of a replica: which requests wait, what is to be asked, what is to be returned. Pure but for
// the clock it is given: events in, decisions and calls out. One thread at a time.
//
//   try_admit ──permit here, or surely none──▶ decided
//   admit_later ──▶ waits ──▶ take_calls ──▶ (the store) ──▶ replied / lost ──▶ decided
//   tick: leases that ended are returned; keys that hold nothing are forgotten

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "limit/redis/key_lease.hpp"

namespace latchkey::limit::lease {

struct LeaseBookConfig {
  /// A request that waited so long is decided as if the store could not be reached.
  Duration patience = std::chrono::milliseconds(500);
  /// Requests that may wait at a time; more are decided at once as if the store could not be reached.
  std::size_t most_waiting = 4096;
  /// This replica's clock runs at 1 / (1 + clock_drift) to 1 + clock_drift of the store's.
  double clock_drift = drift;
  /// What becomes of a request that no permit can be had for while the store cannot be reached.
  enum class Closed : std::uint8_t { refuses, admits } unreachable = Closed::refuses;
};

/// Of requests and permits, since the beginning.
struct LeaseStats {
  std::uint64_t calls = 0;
  std::uint64_t leased = 0;       // permits granted
  std::uint64_t returned = 0;     // of them returned unspent
  std::uint64_t burnt = 0;        // at most: granted or returned in calls that were lost, and may come back
  std::uint64_t unavailable = 0;  // requests refused since the store could not be reached
  std::uint64_t fail_open = 0;    // requests admitted although it could not be reached
  LeaseStats& operator+=(const LeaseStats& other);
};

class LeaseBook {
 public:
  struct Decided {
    RateLimiter::Later done;
    Decision decision;
  };
  /// Filled by what decides requests that waited; call `done` of each once no lock is held.
  using DecidedList = std::vector<Decided>;

  /// `clock` outlives the book.
  LeaseBook(const Clock& clock, LeaseBookConfig config) : clock_(clock), config_(config) {}

  /// nullopt: the store must be asked; call admit_later(). Allocates nothing.
  std::optional<Decision> try_admit(const KeyId& key, const Limit& limit);
  /// True: there is a call to make.
  bool admit_later(const KeyId& key, const Limit& limit, RateLimiter::Later done, DecidedList& decided);
  struct Peeked {
    Allowance allowance;
    bool call_to_make = false;  // what is known is old, or nothing: the store will be asked for the next time
  };
  Peeked peek(const KeyId& key, const Limit& limit);

  /// Appends at most `most` calls. To be sent after this returns; each is answered by replied() or lost().
  void take_calls(std::vector<Call>& calls, std::size_t most, std::uint32_t replicas);
  bool has_calls() const { return !due_.empty(); }
  void replied(const Call& call, const Reply& reply, DecidedList& decided);
  void lost(const Call& call, DecidedList& decided);

  /// While the store is down nothing waits: all that do are decided at once.
  void store_went_down(DecidedList& decided);
  void store_came_up() { reachable_ = true; }

  /// Often; each looks at a part.
  void tick();
  /// Ends all leases, so that take_calls() returns what is left of them.
  void close();

  const LeaseStats& stats() const { return stats_; }
  std::size_t size() const { return entries_.size(); }
  std::size_t waiting() const { return waiting_; }

 private:
  struct Waiter {
    Limit limit;
    BootTime since;
    RateLimiter::Later done;
  };
  struct Entry {
    KeyId key;
    KeyLease lease;
    Limit limit;  // as the last caller named it
    std::vector<Waiter> waiters;
    BootTime used{};
    bool due = false;     // in due_
    bool leased = false;  // in leased_
  };

  Entry& entry(const KeyId& key, const Limit& limit);
  Call next_call(Entry& entry, std::uint32_t replicas, BootTime now);
  void make_due(Entry& entry);
  void watch(Entry& entry);
  Decision unreachable();
  void serve(Entry& entry, DecidedList& decided);
  void fail(Entry& entry, DecidedList& decided);
  void forget_idle(std::size_t buckets);

  const Clock& clock_;
  const LeaseBookConfig config_;
  std::unordered_map<KeyId, Entry> entries_;  // an entry in due_ or leased_, or with a call under way, stays
  std::vector<Entry*> due_;                   // with a call to make
  std::vector<Entry*> leased_;                // with permits that may have to be returned
  std::uint64_t calls_numbered_ = 0;
  std::size_t waiting_ = 0;
  std::size_t sweep_position_ = 0;  // the bucket where forget_idle() goes on
  bool reachable_ = true;
  LeaseStats stats_;
};

}  // namespace latchkey::limit::lease
