#pragma once

#include <filesystem>
#include <optional>

#include "replica/replica_reporter.hpp"
#include "replica/sqlite/replica_file.hpp"

namespace latchkey::replica {

/// Whose reports go into the file.
enum class Reporting : std::uint8_t {
  one_replica,  // of the process that holds the data directory's lock for replicas: whoever else is in it has ended
  many,         // of those that follow a stream, by relays; an older report never takes the place of a newer one
};

class SqliteReporter final : public ReplicaReporter {
 public:
  explicit SqliteReporter(std::filesystem::path path, Reporting whose = Reporting::one_replica)
      : path_(std::move(path)), whose_(whose) {}

  Result<std::uint64_t> report(const ReplicaReport& report) override;

 private:
  Result<void> make_sure_of_file(const ReplicaId& own);
  Result<void> retire_others(const ReplicaId& own);
  Result<void> shorten();
  Result<void> write(const ReplicaReport& report);

  const std::filesystem::path path_;
  const Reporting whose_;
  std::optional<ReplicaFile> file_;
};

}  // namespace latchkey::replica
