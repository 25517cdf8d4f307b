#pragma once

// The embedded registry: the replica's own SQLite file in the data directory, which the management service only reads.
//
//   replicas  one row a replica: its newest report
//
// After a restart of the machine it is worth nothing, since whoever wrote it is gone. So nothing is synced: a report
// costs no disk access and survives a kill, and a file that a power cut has torn is made anew.

#include <filesystem>

#include "store/sqlite/database.hpp"
#include "store/sqlite/file_identity.hpp"

namespace latchkey::replica {

struct ReplicaFile {
  store::Database database;
  store::FileIdentity identity;  // as it was opened
};

/// For the replica, which holds the lock of its data directory: makes the file where there is none, and makes it anew
/// where it cannot be used.
Result<ReplicaFile> open_for_reports(const std::filesystem::path& path);

/// For whoever reads. ErrorCode::not_found where no report can have been made yet.
Result<ReplicaFile> open_for_looks(const std::filesystem::path& path);

}  // namespace latchkey::replica
