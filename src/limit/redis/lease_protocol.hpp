#pragma once

// One exact limit over many replicas: the protocol of leases between a replica and the store of permits.
//
//   replica                                   store, one record a key
//   m1 = CLOCK_BOOTTIME
//   Call{limit, wanted, returned} ──────────▶ advance the store's clock; drop slots that left the window;
//                                             take back what is returned; grant min(wanted, limit − Σ granted)
//   lease of `granted` permits    ◀────────── Reply{granted, now, used, …}, charged to the slot of `now`
//   spends them without a word while
//   now + (m − m1)(1 + drift) is in that slot
//
// How it works. A key may make 60 requests a minute, and two replicas serve it. At 12:00:00.0 a request reaches A,
// which holds no permit: A asks for 10 and the store writes "slot 0: 10 granted". A spends 3 of them without another
// word. B asks for 30 in the same slot; the store grants them, since 10 + 30 <= 60. At 12:00:00.5 the slot is over: A's
// lease is void, and with its next call A returns the 7 permits that it did not spend. The store now counts 3 + 30 =
// 33, so 27 are left. The 33 count until 12:01:01.0, when slot 0 has left the window. Had A died instead, all of its 10
// would have counted until then: a lost permit may refuse a request too early, but can never admit one too many.
//
// The store's time is cut into slots of half a second; a permit counts from the slot it was granted in until 122 slots
// later.
//
// Why never more than N in 60 s. Let τ1 ≤ τ2 ≤ τ1 + 60 s be two admissions, spent from leases of the slots a and b.
// The lease of a was usable at τ1, so the store's time of its grant plus what had passed since lay before the end of a.
// The lease of b was granted before τ2, so the store's time then was less than end(a) + 60 s + f, where f is what the
// store's clock ran too fast in between: b ≤ a + 120 + ⌈f / slot⌉. While f ≤ one slot, all admissions of a minute stem
// from 122 slots in a row, and at the last grant of the newest of them the rule held their sum to N; later on it only
// shrinks, by permits that were returned and so can no longer be spent.
//
// Why not refused early. A permit of slot s counts while the store's time is before (s + 122) · 0.5 s, so no longer
// than 61 s. Permits that other replicas hold and have not spent count as used until they are returned: half a second
// later at most, or when a replica that was stalled, or lost a call, calls again; permits of a replica that
// died, or was silent for ten seconds, until they leave the window. Those are the only refusals that an exact log would
// not have given.
//
// The store's clock (StoreClock in permit_book.hpp) may step either way, and counts whole milliseconds, one of which a
// lease outlives its slot by; f and that stay below half a second. Where it is in doubt whether time passed or the
// clock stepped, nothing is granted until a caller says which: a stall costs no time of the store's. A store that lost
// its memory, or part of it (it has executed fewer calls than a caller knows of), counts the unknown history as used
// for one window.

#include <cstdint>

#include "limit/rate_limiter.hpp"

namespace latchkey::limit::lease {

constexpr std::int64_t slot_ms = 500;
constexpr std::int64_t slots_in_window = 122;
constexpr std::int64_t window_ms = slot_ms * slots_in_window;
/// A lease that is older is no longer taken back: its permits stay counted. Longer than machines usually stall.
constexpr std::int64_t slots_to_return = 20;
/// Stop polling for another replica's unspent permits once its lease is this many slots old.
constexpr std::int64_t slots_to_await = 4;
/// How far the store's clock may be from what a caller vouches for before it is in doubt. Holds the round trip.
constexpr std::int64_t step_tolerance_ms = 250;
/// A replica's clock runs at 1 / (1 + drift) to 1 + drift of the store's.
constexpr double drift = 0.001;

/// One request to the store, about one key.
struct Call {
  KeyId key;
  Limit limit;
  std::uint64_t number = 0;            // names the lease it asks for; of one replica and key never the same twice
  std::uint32_t wanted = 0;            // 0: only to return, or to learn what is used
  std::uint32_t replicas = 1;          // what is nearly used up is shared between so many
  std::uint64_t returned_lease = 0;    // the lease before, 0: none; it ended with this call or a lost one before
  std::uint32_t returned_permits = 0;  // of it, never spent and never to be
  std::uint64_t lost_since = 0;        // what calls from this one on were granted was never spent and never will be
};

/// Times are the store's, in milliseconds.
struct Reply {
  std::uint32_t granted = 0;
  std::int64_t now_ms = 0;
  std::uint32_t used = 0;        // in the window, `granted` included
  std::uint32_t limit = 1;       // in force: Terms of permit_book.hpp
  Version version = {};          // of that limit; its epoch is the call's
  std::int64_t reset_at_ms = 0;  // when the oldest permit leaves the window; `now_ms` when none is used
  std::int64_t free_at_ms = 0;   // when a permit is free if none is taken until then; `now_ms` when one is
  std::int64_t ask_at_ms = 0;    // before, asking is of no use; earlier than free_at_ms while others may return some
  std::int64_t raw_ms = 0;       // its raw clock, which may step
  std::uint64_t steps = 0;       // names the last step that its clock was seen to take
  std::uint64_t calls = 0;       // that it has executed
  bool certain = true;           // false: its clock may have stepped, and nothing could be granted; ask again
  bool operator==(const Reply&) const = default;
};

/// A caller, and what it knows of the store's clock.
struct Caller {
  std::uint64_t replica = 0;     // random, of one process
  std::uint64_t run = 0;         // the life of the store that it is connected to: another one has lost its memory
  std::int64_t vouched_ms = -1;  // the store's raw clock when the call was sent, at least (StoreWatch); −1: unknown
  std::uint64_t steps = 0;       // the last step that the store knew of when that was learnt
  std::uint64_t calls = 0;       // that the store of this life is known to have executed, at least
  bool confirms_clock_step = false;  // the last reply was uncertain although the call was fast
};

}  // namespace latchkey::limit::lease
