#pragma once

// Where a relay writes: a bounded copy of a store's log for many readers, kept by any number of relays at once. The
// rules that make it safe are the engine's, each atomic (feed/redis/layout.hpp); the relay decides when to apply which.
//
// Errors of every call: `unavailable`, and then it is not known whether it took effect. Calling again is harmless.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "feed/change_feed.hpp"

namespace latchkey::relay {

/// One unbroken copy of one history. Another begins when the history breaks or the copy is lost.
struct Life {
  std::string id;
  LogEnd end;                   // the newest change it has
  Seq base = {};                // the log holds what came after it
  std::uint64_t tick = 0;       // moves while any relay follows
  Seq snapshot_seq = {};        // position of the snapshot
  bool snapshot_whole = false;  // no part of it was lost
  bool log_whole = false;       // likewise the log
};

/// A moment before which no read of the store began that uses it (see "How current" in feed/redis/layout.hpp).
struct Tick {
  std::uint64_t number = 0;
  Seq end = {};                  // seq of the newest change that the stream had then: the store had it before
  std::uint64_t connection = 0;  // valid on this connection only
};

enum class Appended : std::uint8_t {
  done,
  other_life,  // the life is over; nothing was written
  behind,      // the log ends before `after`: what was acknowledged once is lost
  forked,      // the log has another change where ours has one
  damaged,     // entries are missing from the log
};
struct AppendOutcome {
  Appended what = Appended::done;
  std::uint64_t written = 0;
  std::uint64_t duplicates = 0;  // another relay was first
};

enum class Published : std::uint8_t {
  done,
  taken,       // begin: there is a life already; attach: another life, or a snapshot as new
  incomplete,  // parts of it were lost meanwhile
  early,       // attach: the log has not got that far yet
  forked,      // attach: it is of another history than the log
};

/// A snapshot that has been written: every row as of `end`.
struct Snapshot {
  std::string name;
  LogEnd end;
  std::uint64_t chunks = 0;
};

/// The log of a life to begin: changes up to the snapshot's end that readers may continue from.
struct Seed {
  std::string life;
  LogEnd base;
  bool base_nonce_known = false;
};

/// One thread; a tail and a snapshot maker have one each.
class Stream {
 public:
  virtual ~Stream() = default;

  /// nullopt: there is no life.
  virtual Result<std::optional<Life>> look() = 0;
  /// nullopt: the life is over, or is not of this epoch any more.
  virtual Result<std::optional<Tick>> tick(const std::string& life, Epoch epoch) = 0;
  /// Changes after `after`, dense; what is there already is skipped. `beat`: a read that began after this tick found
  /// the last of them (or `after`) to be all there was.
  virtual Result<AppendOutcome> append(const std::string& life, const LogEnd& after, std::span<const Change> changes,
                                       std::optional<Tick> beat) = 0;
  /// Drops the life, if it is still the one.
  virtual Result<void> end(const std::string& life) = 0;

  // --- parts, invisible to readers until published; forgotten by themselves some minutes after the last write
  virtual Result<void> write_chunk(const Snapshot& snapshot, std::string_view rows) = 0;  // number snapshot.chunks
  virtual Result<void> write_seed(const Seed& seed, std::span<const Change> changes) = 0;
  virtual Result<void> discard(const Snapshot& snapshot, const Seed& seed) = 0;

  /// Where there is no life: begins one with this snapshot, its log being the seed's.
  virtual Result<Published> begin(const Snapshot& snapshot, const Seed& seed) = 0;
  /// A newer snapshot for a life that goes on; the log behind the one before it is dropped.
  virtual Result<Published> attach(const std::string& life, const Snapshot& snapshot) = 0;
};

}  // namespace latchkey::relay
