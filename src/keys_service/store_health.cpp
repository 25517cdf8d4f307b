#include "keys_service/store_health.hpp"

namespace latchkey::keys_service {

StoreHealth::StoreHealth(Ask ask, const Clock& clock, StoreHealthConfig config)
    : ask_(std::move(ask)), clock_(clock), config_(config) {
  look();
  thread_ = std::thread([this] { run(); });
}

StoreHealth::~StoreHealth() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::optional<Position> StoreHealth::position() const {
  const std::lock_guard lock(mutex_);
  return clock_.boot() - asked_ <= config_.max_age ? position_ : std::nullopt;
}

void StoreHealth::look() {
  const BootTime asked = clock_.boot();
  const auto position = ask_();
  const std::lock_guard lock(mutex_);
  asked_ = asked;
  position_ = position ? std::optional(*position) : std::nullopt;
}

void StoreHealth::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, config_.between_looks, [this] { return stopping_; });
      if (stopping_) return;
    }
    look();
  }
}

}  // namespace latchkey::keys_service
