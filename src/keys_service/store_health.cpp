#include "keys_service/store_health.hpp"

namespace latchkey::keys_service {

StoreHealth::StoreHealth(Ask ask, const Clock& clock, StoreHealthConfig config)
    : ask_(std::move(ask)), clock_(clock), config_(config) {
  look();
  thread_.start([this] {
    while (thread_.sleep(config_.between_looks)) look();
  });
}

std::optional<Position> StoreHealth::position() const {
  const MutexLock lock(mutex_);
  return clock_.boot() - asked_ <= config_.max_age ? position_ : std::nullopt;
}

void StoreHealth::look() {
  const BootTime asked = clock_.boot();
  const auto position = ask_();
  const MutexLock lock(mutex_);
  asked_ = asked;
  position_ = position ? std::optional(*position) : std::nullopt;
}

}  // namespace latchkey::keys_service
