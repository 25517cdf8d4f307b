#pragma once

#include <filesystem>
#include <optional>

#include "replica/replica_reporter.hpp"
#include "replica/sqlite/replica_file.hpp"

namespace latchkey::replica {

/// Of the one process that holds the data directory's lock for replicas: whoever else is in the file has ended.
class SqliteReporter final : public ReplicaReporter {
 public:
  explicit SqliteReporter(std::filesystem::path path) : path_(std::move(path)) {}

  Result<std::uint64_t> report(const ReplicaReport& report) override;

 private:
  Result<void> make_sure_of_file(const ReplicaId& own);
  Result<void> retire_others(const ReplicaId& own);
  Result<void> write(const ReplicaReport& report);

  const std::filesystem::path path_;
  std::optional<ReplicaFile> file_;
};

}  // namespace latchkey::replica
