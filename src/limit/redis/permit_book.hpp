#pragma once

// The rules of the store of permits, as plain data and pure functions. lease.lua says the same at Redis, and a test
// holds the two together; this one serves the simulation and the suite.

#include <cstdint>
#include <map>
#include <unordered_map>

#include "limit/redis/lease_protocol.hpp"

namespace latchkey::limit::lease {

/// The store's time: made of the steps its raw clock takes between one call and the next.
///
/// It never goes back: where the raw clock does, it stands still. It never runs ahead: where the raw clock went further
/// than callers can vouch for, the difference is left out. Either is a step. A caller that has not called since the
/// last step, or never, can vouch for nothing: beyond a tolerance it adds nothing to what others saw. A backward
/// step that is smaller than the time since the last call is visible only to a caller that vouches for a later time. It
/// counts as a step too; otherwise other callers would vouch for time that never passed. So is a history that was lost.
///
/// A call that was long on its way vouches for too little as well, as after each stall. So a difference is in doubt
/// first: the call changes nothing here and is granted nothing. If the call was fast, its caller repeats it
/// with `confirms_clock_step` set; any other caller that vouches for the time proves that it passed.
struct StoreClock {
  std::int64_t raw_ms = 0;           // at the last call
  std::int64_t adjust_ms = 0;        // time is raw_ms + adjust_ms
  std::uint64_t steps = 0;           // the call that met the last one; 0: none
  std::uint64_t run = 0;             // 0: never called
  std::uint64_t calls = 0;           // executed; a caller that knows of more proves that some are forgotten
  std::int64_t closed_until_ms = 0;  // before, nothing is granted: a history that is not known counts as used
  /// Names what it remembers: a loss gives another name.
  std::int64_t memory() const { return closed_until_ms * 1000 + static_cast<std::int64_t>(run % 1000); }

  struct Moment {
    std::int64_t now_ms = 0;  // the store's time; in doubt, that of the last call that was not
    bool certain = true;
  };
  /// `history`: what a store may believe that finds itself new.
  enum class History : std::uint8_t { unknown, none };
  Moment advance(const Caller& caller, std::int64_t raw_now_ms, History history = History::unknown);
};

/// What callers have named as a key's limit. Of one epoch of the database the highest version holds, so a caller with
/// view is old cannot raise it. In another epoch versions count anew, and whether the limit was lowered or raised
/// nobody can say: for a window after each change of epoch the lower of both holds. What nobody named for a window is
/// forgotten.
struct Terms {
  Epoch epoch;
  Version version;
  std::uint32_t limit = 0;      // 0: none was named yet
  std::int64_t named_at = 0;    // the slot when that version was last named
  std::uint32_t cap = 0;        // the lower of both
  std::int64_t capped_at = -1;  // the slot when the epoch changed; −1: never

  Terms after(const Limit& named, std::int64_t slot) const;
  std::uint32_t in_force(std::int64_t slot) const;
};

/// When a call is executed.
struct StoreNow {
  std::int64_t now_ms = 0;  // by the counter's clock
  bool certain = true;
  bool store_certain = true;         // of the store's own clock alone
  bool fast_certain = true;          // of the fast clock alone
  std::int64_t closed_until_ms = 0;  // by the counter's clock
  std::int64_t store_ms = 0;         // by the store's own
  std::int64_t raw_ms = 0;           // its TIME
  std::int64_t memory = 0;
};

/// What the store knows of one counter.
struct PermitRecord {
  struct Lease {
    std::uint64_t number = 0;
    std::int64_t slot = 0;
    std::uint32_t granted = 0;
    std::int64_t beat = 0;
  };
  Terms terms;
  std::map<std::int64_t, std::uint64_t> granted;  // by slot
  std::map<std::uint64_t, Lease> leases;          // by replica and holder: the latest
  std::int64_t entered_ms = 0;                    // the period that is counted; 0: none yet
  std::int64_t called_at = -1;                    // the half second of the store's clock of the last call; −1: none

  std::uint64_t used() const;
  /// One call, executed then.
  Reply answer(const Call& call, std::uint64_t replica, const StoreNow& at);

 private:
  Bounds enter(const Call& call, const StoreNow& at);
  /// Of what replicas knew before the store lost its memory.
  void restore(const Call& call, const StoreNow& at);
  /// False: it comes too late, or once more, and nobody waits for what it would be granted.
  bool take_back(const Call& call, std::uint64_t name);
  std::uint32_t grant(const Call& call, std::uint32_t most, const StoreNow& at) const;
  void fill_times(Reply& reply, const Call& call, const StoreNow& at) const;
  std::int64_t free_at(const Call& call, std::uint32_t most, const StoreNow& at) const;
  bool others_may_return(std::uint64_t name, std::int64_t beat) const;
};

/// A whole store. One thread at a time.
struct PermitBook {
  StoreClock clock;
  StoreClock::History history = StoreClock::History::unknown;  // for the next time that it finds itself new
  std::map<std::uint32_t, StoreClock> fast_clocks;             // by pace
  std::unordered_map<CounterId, PermitRecord> counters;

  /// `fast`: for a call about a span with a fast clock.
  Reply answer(const Caller& caller, const Call& call, std::int64_t raw_ms, const FastTime& fast = {});
  /// Of a caller that only says that it is there: what the store says of itself.
  Reply announce(const Caller& caller, std::int64_t raw_ms);

 private:
  StoreNow now(const Caller& caller, const Call& call, std::int64_t raw_ms, const FastTime& fast);
};

}  // namespace latchkey::limit::lease
