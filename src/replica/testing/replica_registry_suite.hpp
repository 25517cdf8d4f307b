#pragma once

// The contract of ReplicaReporter and ReplicaRegistry as tests. An engine passes by instantiating the suite with a way
// to make an empty registry.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "replica/replica_registry.hpp"
#include "replica/replica_reporter.hpp"

namespace latchkey::replica {

/// One registry and its writers and readers, each with connections of its own.
class RegistryWorld {
 public:
  virtual ~RegistryWorld() = default;
  virtual std::unique_ptr<ReplicaReporter> new_reporter() = 0;
  virtual std::unique_ptr<ReplicaRegistry> new_registry() = 0;
  /// Carries reports on, where the engine needs somebody to.
  virtual void carry() {}
  /// Whether a second reporter may report while the first still does.
  virtual bool holds_many() const { return true; }
  /// Whether a reporter learns from a number what is known, and so cannot tell a report of its own from a copy's of the
  /// same number.
  virtual bool learns_by_number() const { return false; }
};

struct RegistryEngine {
  std::string name;
  std::function<std::unique_ptr<RegistryWorld>()> make;
};
inline void PrintTo(const RegistryEngine& engine, std::ostream* out) { *out << engine.name; }

class ReplicaRegistrySuite : public testing::TestWithParam<RegistryEngine> {
 public:
  static constexpr std::optional<Epoch> epoch = Epoch{UINT64_MAX};  // of all views that report

 protected:
  ReplicaReport new_report(const std::string& name);
  /// The report, until it is known to have arrived.
  void put(ReplicaReporter& reporter, const ReplicaReport& report);

  SeededRandom random_{20260101};
  std::unique_ptr<RegistryWorld> world_ = GetParam().make();
  std::unique_ptr<ReplicaReporter> reporter_ = world_->new_reporter();
  std::unique_ptr<ReplicaRegistry> registry_ = world_->new_registry();
};

}  // namespace latchkey::replica
