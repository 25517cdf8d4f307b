#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "replica/replica_reporter.hpp"
#include "replica/sqlite/replica_file.hpp"

namespace latchkey::replica {

/// Which replicas have their reports in the file.
enum class Reporting : std::uint8_t {
  one_replica,  // of the process that holds the data directory's lock for replicas
  many,         // of those that follow a stream, by relays
};

struct SqliteReporterConfig {
  std::filesystem::path path;
  std::string boot_id;
  Reporting reporting = Reporting::one_replica;
  std::string lock = {};  // one_replica: names the file of the lock that it holds (base/file_name.hpp)
};

/// An older report never takes the place of a newer one.
///
/// Where one replica reports, any other in the file under the same lock has ended, and is said to have stopped.
/// The lock's file may have been removed under another that still runs, so the file remembers which lock that was:
/// under another one the others are left alone until they refuse by themselves.
class SqliteReporter final : public ReplicaReporter {
 public:
  /// `clock` outlives it.
  SqliteReporter(SqliteReporterConfig config, const Clock& clock) : config_(std::move(config)), clock_(clock) {}

  Result<std::uint64_t> report(const ReplicaReport& report) override;

 private:
  Result<void> make_sure_of_file(const ReplicaId& own);
  Result<void> decide_on_others(const ReplicaId& own);
  Result<void> retire_others(const ReplicaId& own);
  Result<void> shorten();
  Result<std::uint64_t> write(const ReplicaReport& report);
  Result<std::uint64_t> number_of(const std::string& id);

  const SqliteReporterConfig config_;
  const Clock& clock_;
  std::optional<ReplicaFile> file_;
  std::optional<BootTime> retire_at_;  // when the others have refused by themselves
};

}  // namespace latchkey::replica
