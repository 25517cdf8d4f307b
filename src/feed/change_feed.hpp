#pragma once

// The read side's way to the store: changes after a position, in order, without a gap.
//
// How it works. A reader calls load(): it gets all rows and the position 00c0….41. It calls next(41) and gets change 42
// and the head 00c0….42; next(42) waits and comes back empty, which proves that at `current_as_of` there was nothing
// after 42. Then a backup of yesterday is put back in place and grows to 50. next(42) sees that the log's change 42 has
// another nonce than the reader's and fails with `reload`: the reader drops all rows and calls load() again.
//
// Every engine passes the suite in
// feed/testing/change_feed_suite.hpp.

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "key/change.hpp"
#include "store/not_made.hpp"

namespace latchkey::feed {

/// Takes the rows of a snapshot, in chunks, in no particular order.
class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;
  virtual void access_key(const AccessKey& key) = 0;
  virtual void signing_key(const SigningKey& key, Version version) = 0;
  virtual void plan(const Plan& plan) = 0;
  virtual void user(const User& user) = 0;
};

struct FeedError {
  enum class Kind {
    /// What was read so far can no longer be continued: a gap, another epoch, a replaced or restored database, a seq
    /// that went back, a fork of the log. The caller distrusts its state at once and loads anew.
    reload,
    /// The store cannot be read now. The caller keeps its state, lets it age, and tries again.
    unavailable,
    /// The same, since there is nothing to read: no management service has made the store's tables, or no relay the
    /// stream. At a first start that is no fault.
    not_made,
  };
  Kind kind;
  std::string why;  // for the operator's log

  /// The store could not be read, by what its driver says.
  static FeedError of(const Error& error) {
    const Kind kind = store::is_not_made(error) ? Kind::not_made : Kind::unavailable;
    return {kind, error.internal.empty() ? error.detail : error.internal};
  }
};

/// What one read found.
struct Batch {
  std::vector<Change> changes;  // seq == after + 1, after + 2, …
  Position head;                // of the last change in `changes`, or the position asked for when there is none
  BootTime current_as_of;       // a moment at which `head` was all that was committed; or, when `more`, of no meaning
  bool more = false;            // changes beyond this batch are waiting, or may be
  Nonce head_nonce = {};        // of the change at `head`; 0 at seq 0
};

/// One reader's feed; used by one thread, except wake().
class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;

  /// Opens the store as it is now and hands every row to `sink`. Returns a position from which next() continues; rows
  /// may already be newer than it (each carries its version), so changes up to the head at return time must be applied
  /// before the state counts as whole. Fails with `unavailable` or `not_made` only.
  virtual Result<Position, FeedError> load(SnapshotSink& sink) = 0;

  /// Instead of load(): the reader has a state of its own as of `known`, from an earlier life. Opens the store as it is
  /// now; next() may then go on from that position, and is a `reload` unless the log still has that very change there.
  virtual void resume(const LogEnd& known) = 0;

  /// Changes after `after`, which is the position load() returned, the head of the batch before or an earlier one, or
  /// the position given to resume(). Returns at once when there are some; otherwise waits up to `patience` for one,
  /// then returns an empty batch, which proves that nothing was missing at `current_as_of`.
  virtual Result<Batch, FeedError> next(Position after, std::chrono::milliseconds patience) = 0;

  /// What load() gave, and the changes since, are not what the store holds: the digests differ. The next load() must
  /// not come from a copy that may be wrong alike. On the thread that reads.
  virtual void distrust() {}

  /// Makes a waiting next() return soon. Any thread.
  virtual void wake() = 0;
};

}  // namespace latchkey::feed
