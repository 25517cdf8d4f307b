#pragma once

#include <filesystem>
#include <memory>

#include "replica/replica_registry.hpp"

namespace latchkey::replica {

/// A registry that is not asked once the changes have been relayed: who reads the stream is accounted for nowhere yet,
/// so nothing may be confirmed.
class UnlessRelayed final : public ReplicaRegistry {
 public:
  /// `mark` exists once a relay has run.
  UnlessRelayed(std::unique_ptr<ReplicaRegistry> inner, std::filesystem::path mark)
      : inner_(std::move(inner)), mark_(std::move(mark)) {}

  Result<std::vector<ReplicaReport>> look() override {
    std::error_code none;
    if (!std::filesystem::exists(mark_, none)) return inner_->look();
    return Error(ErrorCode::unavailable, "replicas that read a stream are not accounted for", mark_.string());
  }
  void forget(const ReplicaReport& newest) override { inner_->forget(newest); }

 private:
  const std::unique_ptr<ReplicaRegistry> inner_;
  const std::filesystem::path mark_;
};

}  // namespace latchkey::replica
