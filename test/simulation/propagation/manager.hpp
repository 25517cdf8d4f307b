#pragma once

// The management service's half of confirmed revocation: what it does with each look (replica/confirmations.cpp).

#include <vector>

#include "propagation/judge.hpp"
#include "replica/confirmation.hpp"
#include "replica/replica_watch.hpp"

namespace latchkey::simulation::propagation {

class Manager {
 public:
  Manager(World& world, Registry& registry, ChronicledStore& store, Judge& judge, Bug bug)
      : registry_(registry),
        store_(store),
        judge_(judge),
        log_(replica::StoreLog::of(store.store())),
        bug_(bug),
        clock_(any_clock(world)) {
    restart();
  }

  /// Just now.
  void revoked(std::size_t commit) {
    waiting_.push_back({commit, {store_.log_end_of({store_.end().epoch, commit}), clock_.boot()}});
  }
  void look();
  /// Who waited is told "pending".
  void restart();
  /// An engine whose registry may have lost somebody is `unavailable` until he has fenced himself
  /// (replica/replica_registry.hpp).
  void registry_was_lost() { looks_from_ = clock_.boot() + max_staleness + replica::margin_of(max_staleness); }

 private:
  struct Waiting {
    std::size_t revocation;
    replica::Commit commit;
  };

  replica::Enforcement verdict_on(Waiting& waiting, const replica::RegistrySnapshot& look,
                                  replica::LogSnapshot& log) const;

  Registry& registry_;
  ChronicledStore& store_;
  Judge& judge_;
  const replica::StoreLog log_;
  const Bug bug_;
  NodeClock clock_;
  std::unique_ptr<replica::ReplicaWatch> watch_;
  std::vector<Waiting> waiting_;
  BootTime looks_from_{};
};

inline void Manager::restart() {
  waiting_.clear();
  watch_ = std::make_unique<replica::ReplicaWatch>(registry_.reports(), clock_);
  look();
}

inline void Manager::look() {
  if (clock_.boot() < looks_from_) return;
  const auto look = watch_->look();
  replica::LogSnapshot log(log_);
  std::erase_if(waiting_, [&](Waiting& waiting) {
    const auto found = verdict_on(waiting, *look, log);
    if (found == replica::Enforcement::confirmed) judge_.confirmed(waiting.revocation);
    return found == replica::Enforcement::confirmed || found == replica::Enforcement::lost;
  });
}

inline replica::Enforcement Manager::verdict_on(Waiting& waiting, const replica::RegistrySnapshot& look,
                                                replica::LogSnapshot& log) const {
  const auto found = replica::confirmation_of(look, log, waiting.commit).enforcement;
  if (bug_ != Bug::verdict_by_position || found == replica::Enforcement::lost) return found;
  const auto any_history = [](const auto&) { return replica::History::of_the_store; };
  return replica::confirmation_of(look, waiting.commit, any_history).enforcement;
}

}  // namespace latchkey::simulation::propagation
