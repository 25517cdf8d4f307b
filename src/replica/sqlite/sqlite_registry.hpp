#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>

#include "replica/replica_registry.hpp"
#include "replica/sqlite/replica_file.hpp"

namespace latchkey::replica {

/// Reads the replica's file; the replica keeps it short.
///
/// A file that was removed, or put back from a copy, may lack the replica that runs, which writes itself in again
/// within a report's time. So look() is `unavailable` while a replica runs and nobody in the file does.
class SqliteRegistry final : public ReplicaRegistry {
 public:
  /// `a_replica_runs`: whether anyone holds the lock that a replica takes before it first reports.
  SqliteRegistry(std::filesystem::path path, std::function<bool()> a_replica_runs)
      : path_(std::move(path)), a_replica_runs_(std::move(a_replica_runs)) {}

  Result<std::vector<ReplicaReport>> look() override;
  void forget(const ReplicaReport&) override {}

 private:
  Result<std::vector<ReplicaReport>> read_file();
  Result<std::vector<ReplicaReport>> read();

  const std::filesystem::path path_;
  const std::function<bool()> a_replica_runs_;
  std::mutex mutex_;
  std::optional<ReplicaFile> file_;  // guarded by mutex_
};

}  // namespace latchkey::replica
