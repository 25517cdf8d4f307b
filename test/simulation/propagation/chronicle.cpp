#include "propagation/chronicle.hpp"

#include <algorithm>

namespace latchkey::simulation::propagation {

ChronicledStore::ChronicledStore(Clock& clock, Random& random, const World& world)
    : world_(world),
      store_(clock, random),
      newest_epoch_(store_.position()->epoch.value),
      ends_{{Time{}, {{newest_epoch_}, 0}}} {}

std::size_t ChronicledStore::put(const AccessKey& key) {
  const auto made = store_.transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
    const auto version = transaction.put_key(key, "update");
    return version ? Result<void>() : version.error();
  });
  by_nonce_[made->nonce.value] = commits_.size();
  commits_.push_back({made->position.seq, made->nonce, key.id, end().commit, world_.now()});
  ends_.push_back({world_.now(), {made->position.epoch, commits_.size() - 1}});
  return commits_.size() - 1;
}

bool ChronicledStore::go_back_to(store::MemoryStore::State state, bool another_life) {
  const std::size_t last = by_nonce_.at(state.end().nonce.value);
  if (!holds(end(), last)) return false;
  for (std::size_t lost = end().commit; lost != last; lost = commits_[lost].parent)
    commits_[lost].undone = world_.now();
  if (another_life) state.epoch = {++newest_epoch_};
  ends_.push_back({world_.now(), {state.epoch, last}});
  store_.restore(std::move(state));
  return true;
}

ChronicledStore::Ends::const_iterator ChronicledStore::end_since(Time time) const {
  const auto after =
      std::partition_point(ends_.begin(), ends_.end(), [&](const End& end) { return end.since <= time; });
  return after == ends_.begin() ? after : std::prev(after);
}

bool ChronicledStore::was_all_since(Time time, const Head& head) const {
  return std::any_of(end_since(time), ends_.end(), [&](const End& end) {
    const bool stood = commits_[head.commit].undone > std::max(time, end.since);
    return stood && end.head.epoch == head.epoch && holds(head, end.head.commit);
  });
}

bool ChronicledStore::holds(const Head& head, std::size_t commit) const {
  std::size_t at = head.commit;
  while (commits_[at].seq > commits_[commit].seq) at = commits_[at].parent;
  return at == commit;
}

}  // namespace latchkey::simulation::propagation
