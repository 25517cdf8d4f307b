#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "key/change.hpp"
#include "store/memory/memory_store.hpp"
#include "world.hpp"

namespace latchkey::simulation::propagation {

/// One commit as it truly was. Its nonce tells it from all others.
struct Commit {
  Seq seq;
  Nonce nonce;
  KeyId key;
  std::size_t parent = 0;  // the commit before it
  Time made{};
  Time undone = Time::max();  // when a restored backup or a failover took it back
};

/// The end of a log: of the store's, or of what somebody has of it.
struct Head {
  Epoch epoch;
  std::size_t commit = 0;
  bool operator==(const Head&) const = default;
};

/// A store whose whole true history is remembered: what was committed when, and what was lost again.
class ChronicledStore {
 public:
  ChronicledStore(Clock& clock, Random& random, const World& world);

  /// Which commit it became.
  std::size_t put(const AccessKey& key);
  /// The state of some moments ago takes the place of what is there; false if it is none of this history.
  /// `another_life`: and the store has noticed, so its epoch is another.
  bool go_back_to(store::MemoryStore::State state, bool another_life);
  store::MemoryStore& store() { return store_; }

  Head head_of(const Position& position, Nonce nonce) const { return {position.epoch, by_nonce_.at(nonce.value)}; }
  Head end() const { return ends_.back().head; }
  Head end_at(Time time) const { return end_since(time)->head; }
  /// Whether at some moment from `time` on everything committed was in the history that ends with `head`, and all of
  /// that was committed.
  bool was_all_since(Time time, const Head& head) const;
  Position position_of(const Head& head) const { return {head.epoch, commits_[head.commit].seq}; }
  LogEnd log_end_of(const Head& head) const { return {position_of(head), commits_[head.commit].nonce}; }
  const Commit& commit(std::size_t index) const { return commits_[index]; }
  /// Whether the history that ends with `head` has `commit`.
  bool holds(const Head& head, std::size_t commit) const;

 private:
  struct End {
    Time since;
    Head head;
  };
  using Ends = std::vector<End>;
  Ends::const_iterator end_since(Time time) const;

  const World& world_;
  store::MemoryStore store_;
  std::uint64_t newest_epoch_;             // the next is one more
  std::vector<Commit> commits_{Commit{}};  // the first is the empty log
  std::unordered_map<std::uint64_t, std::size_t> by_nonce_{{0, 0}};
  Ends ends_;
};

}  // namespace latchkey::simulation::propagation
