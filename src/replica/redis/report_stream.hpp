#pragma once

// Reports on their way through Redis, from replicas that need Redis only to a relay, which puts them into the store's
// registry and says so. Redis holds none of it for good: all may be lost at any moment.
//
//   latchkey:{feed}:reports      stream, one entry a report; of the last five seconds, 100,000 at most
//       i <replica id> n <number> p <phase: 0 running, 1 stopped> a <applied position, or empty> x <its nonce>
//       v <view age, ms> m <max staleness, ms> s <started at> r <reported at> t <name>
//       k <the newest kind of change it understands; without: 1>
//   latchkey:{feed}:known:<id>   the number of that replica's newest report that a relay knows to be in the registry;
//                                raised only, and gone an hour after it was raised last
//
// **What a replica may take for known.** The number that stands under its own id, as it reads it with each report. A
// relay writes it only after the registry has taken that report, or had a newer one: so every look at the registry that
// begins after the replica has read the number finds the report or a newer one, which is what ReplicaReporter promises.
// A number that is higher than any it has reported is of another process under its id, which was put back from an older
// copy or runs twice: then it is nobody's successor and begins anew (replica/replica_reporter.hpp).
// The id is drawn anew for each life of a replica, so no number of another one can pass for its own, and a registry
// never loses a report by itself (what a restored database does, replica/postgres/postgres_registry.hpp covers).
// What may go wrong on the way only lowers what is known, or keeps it:
//   - Redis emptied, restarted empty, put back: the number is lower or gone, until a relay raises it again; a report
//     that was lost is said again, with a higher number, within 100 ms.
//   - no relay: nothing is raised. The replica refuses once the last report that is known was begun max_staleness ago;
//     the manager, which has not heard of it since, calls it fenced not before that.
//   - a relay dies between registry and number: the report is there, and the replica does not know it.
//   - two relays: either may put a report there and raise the number; an older report never replaces a newer one.
//   - a relay that comes late finds old reports, of replicas that may have died since: true when they were said, and
//     their numbers never pass for newer ones.
// All relays of one Redis must be of one store, of which one primary takes commands at a time. One that was cut off and
// lives on beside its successor acknowledges into a registry that nobody reads: PostgreSQL's own fencing is to see to
// it. A relay of another store that was pointed here by mistake acknowledges nothing while the stream is not its own:
// reports are taken only by a relay that follows the stream's life, and only of views of that life's epoch, or none.
// A replica that no relay forwards reports of looks silent and stops serving by rule (2), however often it reports.

#include <string>
#include <vector>

#include "base/error.hpp"
#include "redis/reply.hpp"
#include "replica/replica_report.hpp"

namespace latchkey::replica::report_stream {

inline const std::string prefix = "latchkey:{feed}:";
inline const std::string reports = prefix + "reports";
inline const std::string known_prefix = prefix + "known:";
/// Where something else stands at the keys of this replica.
inline std::string remedy(const ReplicaId& id) {
  return "DEL " + reports + " " + known_prefix + id.to_string() + ", and both are made anew";
}

/// The words of an entry, from "i" on.
std::vector<std::string> fields_of(const ReplicaReport& report);
/// Of an entry's fields, as XREAD answers them; nullopt for what is no report.
std::optional<ReplicaReport> report_of(const std::vector<redis::Reply>& fields);

}  // namespace latchkey::replica::report_stream
