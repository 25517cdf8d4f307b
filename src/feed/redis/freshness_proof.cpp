#include "feed/redis/freshness_proof.hpp"

namespace latchkey::feed {

void FreshnessProof::saw_tick(const std::string& life, std::uint64_t connection, std::uint64_t tick, BootTime stamp) {
  // A tick that went down within a life is a Redis restored from a dump: what was seen before is from another count.
  // An old primary that was cut off shows a low tick long after the new one has passed it.
  const bool other_count = life != life_ || connection != connection_;
  if (other_count || (!seen_.empty() && tick < seen_.back().tick)) seen_.clear();
  life_ = life;
  connection_ = connection;
  if (!seen_.empty() && seen_.back().tick == tick) {
    seen_.back().latest = stamp;
    return;
  }
  seen_.push_back({tick, stamp});
  if (seen_.size() > most_seen) seen_.pop_front();
}

void FreshnessProof::holds_beat(std::uint64_t beat_tick) {
  for (auto seen = seen_.rbegin(); seen != seen_.rend(); ++seen) {
    if (seen->tick >= beat_tick) continue;
    if (!proved_ || *proved_ < seen->latest) proved_ = seen->latest;
    return;
  }
}

}  // namespace latchkey::feed
