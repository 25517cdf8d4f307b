#pragma once

// The reference engine: reporters and registry of one process, for tests and simulation.

#include <map>

#include "base/mutex.hpp"
#include "replica/replica_registry.hpp"
#include "replica/replica_reporter.hpp"

namespace latchkey::replica {

class MemoryRegistry final : public ReplicaRegistry, public ReplicaReporter {
 public:
  Result<std::uint64_t> report(const ReplicaReport& report) override {
    const MutexLock lock(mutex_);
    if (unreachable_) return Error(ErrorCode::unavailable, "the registry is not available");
    const auto [newest, is_new] = newest_.try_emplace(report.id, report);
    if (!is_new && newest->second.number >= report.number) return another_reports(report);
    newest->second = report;
    return report.number;
  }
  Result<std::vector<ReplicaReport>> look() override {
    const MutexLock lock(mutex_);
    if (unreachable_) return Error(ErrorCode::unavailable, "the registry is not available");
    std::vector<ReplicaReport> all;
    for (const auto& [id, report] : newest_) all.push_back(report);
    return all;
  }
  void forget(const ReplicaReport& newest) override { static_cast<void>(remove(newest)); }
  Result<bool> remove(const ReplicaReport& newest) override {
    const MutexLock lock(mutex_);
    if (unreachable_) return Error(ErrorCode::unavailable, "the registry is not available");
    const auto found = newest_.find(newest.id);
    if (found == newest_.end() || found->second.number != newest.number) return false;
    newest_.erase(found);
    return true;
  }

  /// Accidents.
  void set_unreachable(bool unreachable) {
    const MutexLock lock(mutex_);
    unreachable_ = unreachable;
  }
  void lose_everything() {
    const MutexLock lock(mutex_);
    newest_.clear();
  }

 private:
  Mutex mutex_;
  std::map<ReplicaId, ReplicaReport> newest_ GUARDED_BY(mutex_);
  bool unreachable_ GUARDED_BY(mutex_) = false;
};

}  // namespace latchkey::replica
