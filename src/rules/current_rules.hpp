#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "rules/rule_table.hpp"

namespace latchkey::rules {

/// The table in use, swapped whole. Any thread may call.
class CurrentRules {
 public:
  explicit CurrentRules(RuleTable table = {}) { replace(std::move(table), {}); }

  /// One load: it is on the way of every request. Valid for kept_for after another table has come; no request takes as
  /// long.
  const RuleTable& current() const { return *current_.load(std::memory_order_acquire); }

  void replace(RuleTable table, BootTime now) {
    const MutexLock lock(mutex_);
    std::erase_if(tables_, [&](const Kept& kept) { return kept.replaced && now - *kept.replaced > kept_for; });
    if (!tables_.empty()) tables_.back().replaced = now;
    tables_.push_back({std::make_unique<const RuleTable>(std::move(table)), std::nullopt});
    current_.store(tables_.back().table.get(), std::memory_order_release);
  }

  static constexpr Duration kept_for = std::chrono::hours(1);
  std::size_t kept() const {
    const MutexLock lock(mutex_);
    return tables_.size();
  }

 private:
  struct Kept {
    std::unique_ptr<const RuleTable> table;
    std::optional<BootTime> replaced;
  };

  std::atomic<const RuleTable*> current_{nullptr};
  mutable Mutex mutex_;
  std::vector<Kept> tables_ GUARDED_BY(mutex_);  // the last one is in use
};

}  // namespace latchkey::rules
