#pragma once

// The embedded registry: the replica's own SQLite file in the data directory. The management service only reads it,
// makes it where it is gone, so that it can be seen to go again, and takes out a replica that an operator gives up.
//
//   replicas  one row a replica: its newest report
//   origin    one row: which file this is, when it was made, and whether anybody can have reported before
//
// After a restart of the machine it is worth nothing, since the replicas that wrote it are gone. So nothing is synced:
// a report costs no disk access and survives a kill, and a file that a power cut has torn is made anew.
//
// A file that was removed, replaced or put back from a copy may lack a replica that serves. So a file vouches for its
// own completeness: `origin` names the very file it stands in, which no copy of it is, and the time when it was made.
// Example: a replica is stopped by SIGSTOP and replicas.db is deleted. The replica that makes the next one knows by the
// other files of the data directory that a replica ran before, and writes down that it is not the first. A reader then
// believes it only max_staleness after it was made: by then the replica that is missing refuses by itself.

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "replica/replica_report.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/file_identity.hpp"

namespace latchkey::replica {

struct Origin {
  std::string boot_id;  // in which `made` means something
  BootTime made;
  bool first = false;  // nobody can have reported before it was made
};

struct ReplicaFile {
  store::Database database;
  store::FileIdentity identity;         // as it was opened
  std::string name;                     // likewise (base/file_name.hpp)
  std::optional<Origin> origin;         // nullopt: it does not say, or it is a copy
  bool says_what_is_understood = true;  // false: release 0.1.0 made it, and writes it; ask again, a newer one may come
};

/// Whether its reports have that column by now.
Result<bool> says_what_is_understood(store::Database& database);

/// Before the replica takes the lock of its data directory, so that a reader that finds the lock's file and not this
/// one knows that this one was lost; and for the reader that finds that. Makes the file where there is none, and leaves
/// alone what is there.
Result<void> make_report_file(const std::filesystem::path& path, const Origin& origin);

/// For the replica, which holds the lock of its data directory: makes the file where there is none, and makes it anew
/// where it cannot be used or is a copy. `origin`: of one that is made.
Result<ReplicaFile> open_for_reports(const std::filesystem::path& path, const Origin& origin);

/// Takes a replica out if its newest report is still this one. False: there is none.
Result<bool> remove_report(const std::filesystem::path& path, const ReplicaReport& newest);

/// For readers. ErrorCode::not_found where no report can have been made yet.
Result<ReplicaFile> open_for_looks(const std::filesystem::path& path);

}  // namespace latchkey::replica
