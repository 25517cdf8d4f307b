#include "relay/succession.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace latchkey::relay {

Result<void> SucceedingStream::come() {
  const auto own = lineage_();
  if (!own) return own.error();
  if (!*own) return {};
  const auto claim = claim_(**own);
  if (!claim) return claim.error();
  ending_ = ending_ || claim->succeeds;
  const bool outlived = claim->highest > (*own)->timeline;
  if (outlived && !outlived_) {
    log_warning(
        "relay: our store is timeline {} of system {}, and the stream has had timeline {}: a standby was promoted, and "
        "this old primary should not run. This relay writes nothing. If the old primary is to go on after all: "
        "HDEL latchkey:{{feed}}:timelines {}",
        (*own)->timeline, (*own)->system, claim->highest, (*own)->system);
  }
  outlived_ = outlived;
  if (!outlived) return {};
  return Error(
      ErrorCode::unavailable, "the store was succeeded",
      fmt::format("our store is timeline {}, a standby of it was promoted to {}", (*own)->timeline, claim->highest));
}

Result<std::optional<Life>> SucceedingStream::look() {
  if (auto come_first = come(); !come_first) return come_first.error();
  auto life = stream_->look();
  if (!life || !*life || !ending_) {
    if (life && !*life) ending_ = false;
    return life;
  }
  if (auto ended = stream_->end((*life)->id); !ended) return ended.error();
  log_warning("relay: {} ended: it is of an older timeline of our database: a standby was promoted", (*life)->id);
  ending_ = false;
  return std::optional<Life>();
}

Result<std::optional<Tick>> SucceedingStream::tick(const std::string& life, Epoch epoch) {
  if (auto come_first = come(); !come_first) return come_first.error();
  return stream_->tick(life, epoch);
}

Result<Published> SucceedingStream::begin(const Snapshot& snapshot, const Seed& seed) {
  if (auto come_first = come(); !come_first) return come_first.error();
  return stream_->begin(snapshot, seed);
}

}  // namespace latchkey::relay
