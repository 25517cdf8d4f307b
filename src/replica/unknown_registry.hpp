#pragma once

#include <string>

#include "replica/replica_registry.hpp"

namespace latchkey::replica {

/// Where there are replicas that nobody accounts for: nothing is ever confirmed.
class UnknownRegistry final : public ReplicaRegistry {
 public:
  explicit UnknownRegistry(std::string why) : why_(std::move(why)) {}
  Result<std::vector<ReplicaReport>> look() override { return Error(ErrorCode::unavailable, why_); }
  void forget(const ReplicaReport&) override {}

 private:
  const std::string why_;
};

}  // namespace latchkey::replica
