#pragma once

// The rules of feed/redis/layout.hpp, one script each. KEYS[1] is the head, KEYS[2] the log, KEYS[3] the nudge; further
// keys are named by the script.

#include "redis/command.hpp"

namespace latchkey::relay::scripts {

/// ARGV: prefix of snapshots. → {} without a life, else {life, epoch, base, last, last_nonce, tick, snap_seq,
/// snapshot whole, log whole}
const redis::Script& look();

/// ARGV: life. → the tick, or -1 when the life is over
const redis::Script& tick();

/// ARGV: life, after, nonce of after ('' unknown), tick of the heartbeat ('' none), changes… → {what, written,
/// duplicates}; what is "done", "life", "behind", "fork" or "damaged"
const redis::Script& append();

/// ARGV: life, prefix of snapshots. → 1 when it was the life
const redis::Script& end();

/// KEYS[4]: the seed, KEYS[5]: the snapshot. ARGV: life, epoch, base, base_nonce, last, last_nonce, name of the
/// snapshot, chunks. → "done", "taken" or "incomplete"
const redis::Script& begin();

/// KEYS[4]: the snapshot. ARGV: life, name, seq, nonce, chunks, prefix of snapshots. → "done", "taken", "incomplete",
/// "early" or "fork"
const redis::Script& attach();

}  // namespace latchkey::relay::scripts
