#pragma once

#include <filesystem>
#include <mutex>
#include <optional>

#include "replica/replica_registry.hpp"
#include "replica/sqlite/replica_file.hpp"

namespace latchkey::replica {

/// Reads the replica's file; the replica keeps it short.
class SqliteRegistry final : public ReplicaRegistry {
 public:
  explicit SqliteRegistry(std::filesystem::path path) : path_(std::move(path)) {}

  Result<std::vector<ReplicaReport>> look() override;
  void forget(const ReplicaReport&) override {}

 private:
  Result<std::vector<ReplicaReport>> read();

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::optional<ReplicaFile> file_;  // guarded by mutex_
};

}  // namespace latchkey::replica
