#pragma once

// What stands in Redis, and which process may change it. Redis is a cache of the store's log: all of this may be lost
// at any moment and is built again by `latchkey relay`.
//
//   latchkey:{feed}:head          hash   one *life* of the stream: written whole, dropped whole
//       life          16 hex digits, drawn by the relay that began it
//       epoch         of the store, 16 hex digits
//       base          seq before the first entry of the log          base_nonce  of change `base`; empty: not known
//       last          seq of the last entry (base: none)             last_nonce  of change `last`
//       tick          a counter, see below
//       beat_seq beat_tick                                           the newest heartbeat
//       snap snap_seq snap_nonce snap_chunks                         the snapshot: its name, position, number of chunks
//       prev prev_seq                                                the one before, for readers still busy with it
//   latchkey:{feed}:log           stream entry "<seq>-0" c <encode_change()>: dense from base + 1 to last
//   latchkey:{feed}:snapshot:<s>  hash   "0", "1", … → a run of rows; whole and immutable once `head` names it
//   latchkey:{feed}:nudge         stream of one entry: something was written; for XREAD BLOCK
//   latchkey:{feed}:timelines     hash   of PostgreSQL: relay/succession.hpp
//   latchkey:{feed}:seed:<life>   stream a log that is being prepared
//   latchkey:{feed}:digest        hash   the sum of the store's rows (feed/rows_digest.hpp): epoch seq digest, and
//                                        number, which counts the answers
//   latchkey:{feed}:digest:wanted        a reader wants another answer; the relay that takes it reads the store
//   latchkey:{feed}:distrusted           the life in which a reader found rows that are not the store's: a relay
//                                        ends it, and begins one with the rows as they are
//
// Nonces are 8 raw bytes, as in the entry, where they stand at bytes 1 to 8. What is being prepared (seed, snapshot not
// yet named) expires by itself, so a relay may die at any step.
//
// Rules, each one script, so each atomic:
//   append   only to the life it was read for; entries at or before `last` are skipped (another relay was first), the
//            next must be last + 1; a nonce that differs where both have a change is a fork and refused; a log of
//            another length than last − base was damaged (XDEL, eviction) and is refused
//   begin    a life, only where there is none, from a whole snapshot at `last`; its rows contain every change up to it
//   attach   a newer snapshot, only if the log has its change with its nonce; then trims the log behind the one before
//   end      drops head, log and snapshots together
//
// So readers of one life see one history, two relays may run and none is elected, and a reader checks for itself that
// the change it knows last is still there with the same nonce, whatever life it reads.
//
// How it works. The store has the changes 1 to 7, and so has the stream. A relay raises the tick from 40 to 41, reads
// the store after 7 and finds change 8. It appends 8 and writes the heartbeat (beat_seq 8, beat_tick 41). A replica
// read the stream at its 12:00:00.10 and saw tick 40; now it reads 8 and the beat (8, 41). Its first read came before
// the tick became 41, so before the relay read the store, which then had nothing beyond 8. So at 12:00:00.10 by the
// replica's own clock nothing was committed that it does not hold: that moment is its `current_as_of`.
//
// **How current.** `current_as_of` must be a moment of the reader's BOOTTIME at which its head was all that was
// committed in the *store*. No clock of Redis or of the relay takes part:
//   1. the relay raises `tick` to t, of a life of its store's epoch;
//   2. then, not before, it reads the store up to seq S, all there was, and no less than the stream had at (1): what
//      others wrote of a history that was undone is vouched for by nobody;
//   3. then it appends what came and writes the heartbeat (beat_seq S, beat_tick t), on the connection that raised t.
// A reader stamps its clock before each read and remembers the stamp m beside the tick it saw. Once it holds S and sees
// the beat (S, t), every stamp m of a read that saw a tick below t precedes (1), so the read of the store, so: at m
// nothing was committed that the reader has not got (or it was undone by the time of the read). The latest such m is
// the proof. A stopped relay, a delayed heartbeat, a partition, stepped or drifting clocks only make it older; counters
// of another life, or from before a reload, are not compared. Ticks are bound to their connection, the relay's and the
// reader's: a Redis that came back from an older dump counts from lower, and an old primary that was cut off shows a
// low tick long after its successor has passed it. For the same reason readers must not read from a Redis replica: its
// ticks lag.

#include <string>

namespace latchkey::feed::redis_layout {

inline const std::string prefix = "latchkey:{feed}:";
inline const std::string head = prefix + "head";
inline const std::string log = prefix + "log";
inline const std::string nudge = prefix + "nudge";
inline const std::string snapshot_prefix = prefix + "snapshot:";
inline const std::string seed_prefix = prefix + "seed:";
inline const std::string digest = prefix + "digest";
inline const std::string digest_wanted = prefix + "digest:wanted";
inline const std::string distrusted = prefix + "distrusted";
/// Where something else stands at these keys.
inline const std::string remedy = "DEL " + head + " " + log + " " + nudge + ", and the relay builds it anew";
inline const std::string foreign = "what stands in Redis is not a stream of ours: " + remedy;

}  // namespace latchkey::feed::redis_layout
