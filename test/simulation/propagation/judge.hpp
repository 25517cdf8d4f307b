#pragma once

// What must hold, by the true history that no node can see.

#include <optional>
#include <string>
#include <vector>

#include "propagation/chronicle.hpp"
#include "propagation/replica_node.hpp"

namespace latchkey::simulation::propagation {

/// What was seen of one replica's view before, over all its lives.
struct LastLook {
  std::optional<Head> head;
  BootTime as_of;
  std::uint64_t loads = 0;
};

class Judge {
 public:
  Judge(World& world, ChronicledStore& store) : world_(world), store_(store) {}

  /// After each step of a projector: a complete view's position is a commit of the store; at the moment it is said to
  /// be current as of nothing else was committed; it has not gone back, unless the store has; it holds exactly its
  /// rows.
  void look_at(const ReplicaNode& replica, LastLook& last);
  /// A revocation has been confirmed as enforced: nobody may admit the key from now on, as long as the store itself
  /// keeps the revocation.
  void confirmed(std::size_t revocation);
  void look_at_decisions(const ReplicaNode& replica);
  /// Once all is quiet: the view is fresh, and equals the store.
  void expect_settled(const ReplicaNode& replica);

  const std::string& violation() const { return violation_; }
  std::uint64_t confirmations() const { return confirmations_; }
  std::uint64_t decisions() const { return decisions_; }

 private:
  void judge_claim(const Head& head, Time as_of);
  void judge_rows(const view::View& view, const Head& head);
  void violated(std::string how);

  World& world_;
  ChronicledStore& store_;
  std::vector<std::size_t> confirmed_;
  std::uint64_t confirmations_ = 0, decisions_ = 0;
  std::string violation_;  // the first
};

}  // namespace latchkey::simulation::propagation
