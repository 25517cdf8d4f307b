#pragma once

// Where replicas are accounted for, so that a change can be confirmed as enforced everywhere.
//
// What is promised: once a change has been confirmed, no request that is sent afterwards is decided by a view without
// it, at any replica.
//
// How it works. S (max_staleness) is 30 s. At 12:00:00 a key is disabled: the change is 00c0….42. Replica A reports
// 00c0….42 at 12:00:00.1: applied. Replica B is cut off since 11:59:50, when it reported 00c0….41. It may decide by its
// old view until 12:00:20; then it refuses by itself, since no report of it has arrived for 30 s. The manager waits 30
// s from the last report that it has seen, and a margin for clocks that run apart; then B is fenced and the change is
// confirmed. If B comes back at 12:00:25, it serves again only by a view that is current as of a later moment than its
// new report, and that view holds the change.
//
// The replica's side (replica/report_loop.hpp, view/serving_gate.hpp, access/access_check.hpp). It decides a request at
// its moment d only if
//   (1) its view held all that was committed at a moment a, and d - a <= S, its max_staleness;
//   (2) it has begun, at a moment w, a report that is known to be in the registry, and d - w <= S;
//   (3) a >= g, where g is when it learned that the first of its reports had arrived, or the first one after (2) had
//       not held for a while.
// It reports a position only once its view shows it.
//
// The manager's side (replica/verdict.hpp). For a change at position P, committed by the manager's moment t, it takes a
// look at the registry that began at c >= t. A replica that is
//   not in it, and has never been,  is no danger: its first report arrives after c, so g > c >= t, and by (3) its view
//                                   holds P when it decides anything.
//   applied    reported a position >= P of the same epoch, and a nonce that the store's log, read after the look, has
//              there. The log has P too, by P's own nonce. A nonce is drawn anew for each change, so both lie on one
//              history, and the view that held the later one held P; it keeps P or is emptied.
//   fenced     either t + S has passed: by (1) it decides only by views with a >= d - S >= t, which hold P. Or no
//              report of it has arrived for S until c: by (2) it decides nothing now, and once it does again, by (3)
//              its view is current as of a moment after c.
//   stopped    said so with its last report, after its last answer.
// All of this is of replicas that understand the change. One of an older release may pass over what it does not know:
// its view moves on past P, is current, and lacks it. So each reports the newest kind of change that it understands
// (key/change_kind.hpp), and where that is older than the change it is never `applied`, nor fenced by the age of its
// view, but `outdated` until it has stopped or fallen silent. Example: a replica of 0.1.0 reports position 50; the
// change at 48 disables a user, which 0.1.0 does not know.
// Each S is taken with a margin for two clocks that run apart (margin_of()); a machine with a CLOCK_BOOTTIME that
// stands still while others' go on is outside of what this can see. A position of another epoch, or of a
// history that was undone (a copy of the database's files put back keeps its epoch, and its seqs soon pass for those of
// before), has no order with P: such a replica passes only by falling silent. The nonce of P is read in the first round
// after the commit, and again at last: if the store has another change at P by then, or none, the change is gone with
// its database and nothing is confirmed. What was put back and grew past P within the microseconds from the commit to
// that first read would pass for P; an engine's writer notices it too, and begins another epoch.
//
// A registry that is a table of the store forks with it. Example: a standby is promoted while the old primary lives on
// with one replica. That one reports to the old table, is known there, and serves; in the new table, which has its row
// from before, it is silent. So by an engine that may_fork(), silence does not fence a replica that is known to follow
// another epoch: such a replica is `other-epoch` until it reports from the store's own epoch, or an operator says that
// it has ended (ReplicaWatch::forget()). One that has reported from this epoch and falls silent is taken to be fenced:
// that it went over to another primary later cannot be seen here, and PostgreSQL's fencing is to prevent it
// (docs/operations.md).
//
// A report that has vanished without "stopped" (a registry that was lost or restored) counts as one that has fallen
// silent, and a report that did not move since the manager began to watch proves nothing. replica/replica_watch.hpp
// remembers what is needed for both. What was lost before the manager began to watch it cannot remember: an engine
// answers `unavailable` unless it knows that its registry has lost nothing (the embedded one: that no replica runs that
// is not in it), or max_staleness has passed since it could last have lost something: by then, by (2), every replica
// that serves is in it again.
//
// "Known to be in the registry" is the reporter's word (replica/replica_reporter.hpp). One that writes there itself has
// the registry's own answer; over Redis a replica learns it from the relay that put the report there
// (replica/redis/report_stream.hpp), and where nobody does, (2) fences it.
//
// A replica that starts is a new one, and by (3) decides nothing by its snapshot file, which is older than its
// registration. One that was killed goes on as the replica it was, with that file, while (2) holds from before
// (replica/successor_state.hpp).

#include <vector>

#include "base/error.hpp"
#include "replica/replica_report.hpp"

namespace latchkey::replica {

/// The manager's way to the registry. Every engine passes the suite in replica/testing/replica_registry_suite.hpp. Any
/// thread.
class ReplicaRegistry {
 public:
  virtual ~ReplicaRegistry() = default;

  /// The newest report of every replica, as of a moment after the call; in no order. ErrorCode::unavailable when the
  /// registry cannot be read. None where no replica has ever reported.
  virtual Result<std::vector<ReplicaReport>> look() = 0;

  /// Whether each life of the store has a registry of its own, so that a replica of another life may be known there.
  virtual bool may_fork() const { return false; }

  /// Drops a replica if its newest report is still this one. An engine may leave that to others, as long as its list
  /// stays bounded.
  virtual void forget(const ReplicaReport& newest) = 0;

  /// The same on the word of an operator, and by every engine. False: it has reported since, or is not there.
  /// ErrorCode::unavailable when the registry cannot be written.
  virtual Result<bool> remove(const ReplicaReport& newest) = 0;
};

}  // namespace latchkey::replica
