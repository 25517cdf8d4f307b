#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "replica/replica_registry.hpp"
#include "replica/sqlite/replica_file.hpp"

namespace latchkey::replica {

struct SqliteRegistryConfig {
  std::filesystem::path path;
  std::string boot_id;
  std::chrono::milliseconds max_staleness{30'000};  // the longest of any replica; a longer one in the file counts
  /// Whether anyone holds the lock that a replica takes before it first reports.
  std::function<bool()> a_replica_runs;
  /// Whether anything in the data directory shows that a replica has begun there, which makes the file first of all.
  std::function<bool()> a_replica_ran;
};

/// Reads the replica's file; the replica keeps it short, and an operator may.
///
/// A file that was removed, replaced, or put back from a copy may lack a replica that serves, even if its lock was
/// removed with it. So look() is `unavailable`
///   - until max_staleness after the file was made, where it was not the first;
///   - until max_staleness after this object saw that another file is in the place of the one it knew, or that there
///     was none although a replica ran before: then it makes one;
///   - while a replica runs and nobody in the file does.
class SqliteRegistry final : public ReplicaRegistry {
 public:
  /// `clock` outlives it.
  SqliteRegistry(SqliteRegistryConfig config, const Clock& clock) : config_(std::move(config)), clock_(clock) {}

  Result<std::vector<ReplicaReport>> look() override;
  void forget(const ReplicaReport&) override {}
  Result<bool> remove(const ReplicaReport& newest) override;

 private:
  Result<std::vector<ReplicaReport>> read_file() REQUIRES(mutex_);
  Result<std::vector<ReplicaReport>> read() REQUIRES(mutex_);
  Result<bool> open_file() REQUIRES(mutex_);
  void notice(const ReplicaFile& file) REQUIRES(mutex_);
  std::optional<BootTime> doubt_of(const ReplicaFile& file) const;
  Result<void> check_whole(const std::vector<ReplicaReport>& reports) const REQUIRES(mutex_);

  const SqliteRegistryConfig config_;
  const Clock& clock_;
  Mutex mutex_;
  std::optional<ReplicaFile> file_ GUARDED_BY(mutex_);
  std::string name_ GUARDED_BY(mutex_);                 // of the file seen last; empty: there was none yet
  std::optional<BootTime> lost_by_ GUARDED_BY(mutex_);  // by then somebody can have been lost last; nullopt: never
};

}  // namespace latchkey::replica
