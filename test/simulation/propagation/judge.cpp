#include "propagation/judge.hpp"

#include <fmt/format.h>

#include <set>

namespace latchkey::simulation::propagation {

using std::chrono::microseconds;
using std::chrono::milliseconds;

void Judge::violated(std::string how) {
  if (violation_.empty()) violation_ = fmt::format("at {} ms: {}", world_.now() / milliseconds(1), how);
}

void Judge::look_at(const ReplicaNode& replica, LastLook& last) {
  const auto freshness = replica.view().freshness();
  if (!freshness.complete) return;
  const Head head = store_.head_of(freshness.position, freshness.nonce);
  const bool loaded = replica.loads() != last.loads;
  if (!loaded && last.head == head && last.as_of == freshness.current_as_of) return;
  if (store_.commit(head.commit).seq != freshness.position.seq) return violated("a view's position is no commit's");
  // By what a clock's arithmetic may round.
  judge_claim(head, replica.clock().true_time(freshness.current_as_of) - microseconds(1));
  if (last.head && !store_.holds(head, last.head->commit) && store_.commit(last.head->commit).undone > world_.now()) {
    violated(fmt::format("a view went back from {} to {}", store_.commit(last.head->commit).seq.value,
                         freshness.position.seq.value));
  }
  if (loaded || world_.chance(0.05)) judge_rows(replica.view(), head);
  last = {head, freshness.current_as_of, replica.loads()};
}

/// A store that is put back owes nobody what it lost: the claim holds if it was true at any moment since.
void Judge::judge_claim(const Head& head, Time as_of) {
  if (store_.was_all_since(as_of, head)) return;
  violated(fmt::format("a view at {} is said to be current as of {} ms, when the store was at {}",
                       store_.position_of(head).to_string(), as_of / milliseconds(1),
                       store_.position_of(store_.end_at(as_of)).to_string()));
}

void Judge::judge_rows(const view::View& view, const Head& head) {
  const view::View::Reader reader(view);
  std::set<KeyId> keys;
  for (std::size_t at = head.commit; at != 0; at = store_.commit(at).parent) {
    const Commit& commit = store_.commit(at);
    if (!keys.insert(commit.key).second) continue;
    const auto* row = reader.find(commit.key);
    if (row == nullptr || row->version() != Version::made_by(commit.seq)) {
      return violated(
          fmt::format("a view at {} has not the row of {}", store_.commit(head.commit).seq.value, commit.seq.value));
    }
  }
  if (view.key_count() != keys.size()) violated("a view has rows that nobody wrote");
}

void Judge::confirmed(std::size_t revocation) {
  const Commit& commit = store_.commit(revocation);
  ++confirmations_;
  confirmed_.push_back(revocation);
  if (commit.undone <= world_.now()) violated(fmt::format("{} was confirmed and is lost", commit.seq.value));
}

void Judge::look_at_decisions(const ReplicaNode& replica) {
  if (!replica.decides()) return;
  ++decisions_;
  const view::View::Reader reader(replica.view());
  for (const std::size_t revocation : confirmed_) {
    const Commit& commit = store_.commit(revocation);
    const auto* row = reader.find(commit.key);
    if (row == nullptr || row->disabled() || commit.undone <= world_.now()) continue;
    violated(fmt::format("the key revoked by {} is admitted after the confirmation", commit.seq.value));
  }
}

void Judge::expect_settled(const ReplicaNode& replica) {
  const auto freshness = replica.view().freshness();
  if (!replica.decides()) return violated("a replica does not serve though all is quiet: " + replica.why_not());
  const Position end = *store_.store().position();
  if (freshness.position != end) {
    return violated(
        fmt::format("a view is at {} though the store is at {}", freshness.position.to_string(), end.to_string()));
  }
  const auto state = store_.store().backup();
  const view::View::Reader reader(replica.view());
  for (const auto& [id, key] : state.keys) {
    const auto* row = reader.find(id);
    const bool same = row != nullptr && row->version() == key.version && row->disabled() == key.disabled &&
                      row->requests_per_minute() == key.requests_per_minute;
    if (!same) violated(fmt::format("a view differs from the store in the row of {}", key.version.value));
  }
  if (replica.view().key_count() != state.keys.size()) violated("a view has rows that the store has not");
}

}  // namespace latchkey::simulation::propagation
