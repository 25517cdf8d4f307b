#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "replica/replica_registry.hpp"
#include "replica/verdict.hpp"

namespace latchkey::replica {

/// The embedded engine's own replica, and those that follow a stream: a relay on the same data directory enters these
/// into a file of its own. They are on other machines and outlive a file that was lost, so it counts only after
/// `max_staleness` from this object's beginning: by then every replica that serves is in it. What becomes of the file
/// while this object lives, `relayed` tells.
class JoinedRegistry final : public ReplicaRegistry {
 public:
  /// `a_relay_ran`: whether anything shows that a relay has run here; nobody follows a stream while nothing ever did.
  /// `clock` outlives this.
  JoinedRegistry(std::unique_ptr<ReplicaRegistry> own, std::unique_ptr<ReplicaRegistry> relayed,
                 std::function<bool()> a_relay_ran, const Clock& clock, std::chrono::milliseconds max_staleness)
      : own_(std::move(own)),
        relayed_(std::move(relayed)),
        a_relay_ran_(std::move(a_relay_ran)),
        clock_(clock),
        whole_from_(clock.boot() + (max_staleness + margin_of(max_staleness))) {}

  Result<std::vector<ReplicaReport>> look() override {
    auto reports = own_->look();
    if (!relay_seen_ && a_relay_ran_()) relay_seen_ = true;
    if (!reports || !relay_seen_) return reports;
    if (clock_.boot() < whole_from_) {
      return Error(ErrorCode::unavailable,
                   "it is not certain yet which replicas follow the stream: the service has just started");
    }
    auto others = relayed_->look();
    if (!others) return others;
    reports->insert(reports->end(), others->begin(), others->end());
    return reports;
  }
  void forget(const ReplicaReport& newest) override {
    own_->forget(newest);
    relayed_->forget(newest);
  }
  Result<bool> remove(const ReplicaReport& newest) override {
    auto removed = own_->remove(newest);
    return !removed || *removed ? removed : relayed_->remove(newest);
  }

 private:
  const std::unique_ptr<ReplicaRegistry> own_;
  const std::unique_ptr<ReplicaRegistry> relayed_;
  const std::function<bool()> a_relay_ran_;
  const Clock& clock_;
  const BootTime whole_from_;
  std::atomic<bool> relay_seen_{false};  // and stays so, whatever is removed
};

}  // namespace latchkey::replica
