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
//
// Other windows, and periods, are cut by limit/redis/span.hpp so that the same holds for them. A request under several
// limits takes its units from a lease of each, or from none (charge_book.hpp). A store that lost its memory is closed for a
// minute, whatever is counted. In it each replica says what it last heard to be used of a period, or of a window of more
// than a minute; that counts as used. What only replicas knew that are gone is forgotten.

#include <cstdint>

#include "limit/rate_limiter.hpp"
#include "limit/redis/span.hpp"

namespace latchkey::limit::lease {

/// One request to the store, about one counter.
struct Call {
  KeyId key;  // or the user's digest: the owner of the count
  Limit limit;
  std::uint64_t number = 0;            // names the lease it asks for; of one replica and key never the same twice
  std::uint32_t wanted = 0;            // 0: only to return, or to learn what is used
  std::uint32_t replicas = 1;          // what is nearly used up is shared between so many
  std::uint64_t returned_lease = 0;    // the lease before, 0: none; it ended with this call or a lost one before
  std::uint32_t returned_permits = 0;  // of it, never spent and never to be
  std::uint64_t lost_since = 0;        // what calls from this one on were granted was never spent and never will be
  std::uint64_t counter = per_minute_counter;  // which count of that owner
  Span span{};
  std::uint32_t least = 1;       // fewer than this are of no use: all that one request costs
  bool observes = false;         // what is wanted is granted, whatever the limit
  std::uint64_t holder = 0;      // tells leases of one replica apart that are held in several places
  std::uint64_t known_used = 0;  // of a long span: what this replica heard to be used, less what it returns
  std::int64_t memory = 0;       // the store's when it heard that; one that has begun another believes it

  CounterId id() const { return {key, counter}; }
};

/// Of a call about a period that the store cannot charge.
enum class Bounds : std::uint8_t {
  hold,
  over,      // it has ended by the store's TIME
  early,     // it has not begun
  overtaken  // a later one was entered: Reply::entered
};

/// Times are by the counter's clock, in milliseconds.
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
  std::int64_t empty_at_ms = 0;  // when all that is used has left, if none is taken until then
  Bounds bounds = Bounds::hold;
  std::int64_t entered_ms = 0;  // the start of the period that is counted; 0: none
  std::int64_t memory = 0;      // names what the store remembers: it changes where it lost some
  bool store_certain = true;    // of its own clock alone
  // Of a fast clock, as of the store's own.
  std::int64_t fast_raw_ms = 0;
  std::uint64_t fast_steps = 0;
  std::uint64_t fast_calls = 0;
  bool fast_certain = true;
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

/// A caller of a fast clock, and that clock's raw time.
struct FastTime {
  Caller caller;
  std::int64_t raw_ms = 0;
};

/// The store's TIME by a clock of that pace, in milliseconds.
constexpr std::int64_t paced_ms(std::int64_t raw_us, std::uint32_t pace) {
  return raw_us * 3 / (50 * std::int64_t{pace});
}

}  // namespace latchkey::limit::lease
