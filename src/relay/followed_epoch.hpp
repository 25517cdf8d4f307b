#pragma once

#include <mutex>
#include <optional>

#include "key/position.hpp"

namespace latchkey::relay {

/// Of which epoch the life is that a tail follows; nullopt: it follows none. Any thread.
class FollowedEpoch {
 public:
  void set(std::optional<Epoch> epoch) {
    const std::lock_guard lock(mutex_);
    epoch_ = epoch;
  }
  std::optional<Epoch> get() const {
    const std::lock_guard lock(mutex_);
    return epoch_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Epoch> epoch_;  // guarded by mutex_
};

}  // namespace latchkey::relay
