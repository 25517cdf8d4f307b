#pragma once

#include <optional>

#include "base/mutex.hpp"
#include "key/position.hpp"

namespace latchkey::relay {

/// Of which epoch the life is that a tail follows; nullopt: it follows none. Any thread.
class FollowedEpoch {
 public:
  void set(std::optional<Epoch> epoch) {
    const MutexLock lock(mutex_);
    epoch_ = epoch;
  }
  std::optional<Epoch> get() const {
    const MutexLock lock(mutex_);
    return epoch_;
  }

 private:
  mutable Mutex mutex_;
  std::optional<Epoch> epoch_ GUARDED_BY(mutex_);
};

}  // namespace latchkey::relay
