#pragma once

// Requests under several limits, of any cost, over a shared store: each counter has a lease (KeyLease), and a request takes
// what it costs from all of them or from none.
//
//   10 in 1 s and 5,000 a day, both per user; a request of cost 1
//   both leases have a permit     → taken from both, no word to the store
//   one of them has none          → the request waits; the store is asked for that counter
//   one of them surely refuses    → refused; the other is asked what is left of it, so that Retry-After is enough
//
// As LeaseBook, one of these is a shard: pure but for the clock it is given, one thread at a time.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "limit/period_clock.hpp"
#include "limit/redis/charge_entry.hpp"
#include "limit/redis/lease_book.hpp"

namespace latchkey::limit::lease {

class ChargeBook {
 public:
  struct Decided {
    RateLimiter::VerdictLater done;
    Verdict verdict;
  };
  /// Filled by what decides requests that waited; call `done` of each once no lock is held.
  using DecidedList = std::vector<Decided>;

  /// `clock` outlives the book. `holder`, not 0, tells its leases from those of other books of this process.
  ChargeBook(const Clock& clock, LeaseBookConfig config, std::uint64_t holder)
      : clock_(clock), config_(config), holder_(holder) {}

  /// nullopt: the store must be asked; call charge_later().
  std::optional<Verdict> try_charge(const Charge& charge);
  /// True: there is a call to make.
  bool charge_later(const Charge& charge, RateLimiter::VerdictLater done, DecidedList& decided);
  struct Looked {
    Verdict verdict;
    bool call_to_make = false;
  };
  /// What is known to be left; what is known is asked anew where it is older than a second.
  Looked look(const Charge& charge);

  /// As LeaseBook.
  void take_calls(std::vector<Call>& calls, std::size_t most, std::uint32_t replicas);
  bool has_calls() const { return !due_.empty(); }
  void replied(const Call& call, const Reply& reply, DecidedList& decided);
  void lost(const Call& call, DecidedList& decided);
  void store_went_down(DecidedList& decided);
  void store_came_up() { reachable_ = true; }
  /// Where it has lost its memory (Reply::memory), it is told what is known here of long windows and periods.
  void store_remembers(std::int64_t memory);
  void tick();
  void close();

  const LeaseStats& stats() const { return stats_; }
  std::size_t size() const { return entries_.size(); }

 private:
  using Waiter = ChargeWaiter;
  using Entry = ChargeEntry;
  using Entries = std::array<Entry*, max_limits>;
  enum class Observed : std::uint8_t { counted, counted_if_here };

  Entries find(const Charge& charge);
  Entries enter(const Charge& charge);
  void come_to_present(Entry& entry, BootTime now);
  UnixMillis store_time(BootTime now) const;
  std::optional<Verdict> decide(const Charge& charge, const Entries& entries, Observed observed);
  std::optional<Verdict> take(const Charge& charge, const Entries& entries, Observed observed);
  Verdict refuse(const Charge& charge, const Entries& entries, BootTime now) const;
  Verdict unreachable(const Charge& charge, const Entries& entries);
  void fill(Verdict& verdict, const Charge& charge, const Entries& entries, std::uint32_t more, BootTime now) const;
  bool ask_for(const Charge& charge, const Entries& entries, BootTime now);
  Call next_call(Entry& entry, std::uint32_t replicas, BootTime now);
  void saw(const Reply& reply, BootTime now);
  void make_due(Entry& entry);
  void watch(Entry& entry);
  void serve(Entry& entry, DecidedList& decided);
  void fail(Entry& entry, DecidedList& decided);
  void decided_now(Waiter& waiter, Verdict verdict, DecidedList& decided);
  void forget_idle(std::size_t buckets);

  const Clock& clock_;
  const LeaseBookConfig config_;
  const std::uint64_t holder_;
  std::unordered_map<CounterId, Entry>
      entries_;  // an entry in due_ or leased_, with waiters or a call under way, stays
  std::vector<Entry*> due_;
  std::vector<Entry*> leased_;
  std::uint64_t calls_numbered_ = 0;
  std::size_t waiting_ = 0;
  std::size_t sweep_position_ = 0;
  bool reachable_ = true;
  std::int64_t memory_ = 0;
  // The store's TIME as it was heard last, and the clock of periods over it.
  UnixMillis store_raw_{};
  BootTime store_raw_at_{};
  std::optional<PeriodClock> period_clock_;
  LeaseStats stats_;
};

}  // namespace latchkey::limit::lease
