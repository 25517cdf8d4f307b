#pragma once

// Whether the store answers, known without asking it: one thread looks four times a second. So readiness is told at
// once also while the database is silent and each worker waits for it.

#include <chrono>
#include <functional>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/mutex.hpp"
#include "base/wakeable_thread.hpp"
#include "key/position.hpp"

namespace latchkey::keys_service {

struct StoreHealthConfig {
  std::chrono::milliseconds between_looks{250};
  std::chrono::milliseconds max_age{5000};  // of an answer, counted from when it was asked for
};

class StoreHealth {
 public:
  /// `ask` is KeyStore::position(). Asks once before it returns. `clock` outlives it.
  using Ask = std::function<Result<Position>()>;
  StoreHealth(Ask ask, const Clock& clock, StoreHealthConfig config = {});
  /// Waits for a look that is under way.
  ~StoreHealth() = default;
  StoreHealth(const StoreHealth&) = delete;
  StoreHealth& operator=(const StoreHealth&) = delete;

  /// The store's position at the last look; nullopt: it did not answer, or has not since `max_age`. At once, any
  /// thread.
  std::optional<Position> position() const;

 private:
  void look();

  const Ask ask_;
  const Clock& clock_;
  const StoreHealthConfig config_;

  mutable Mutex mutex_;
  std::optional<Position> position_ GUARDED_BY(mutex_);
  BootTime asked_ GUARDED_BY(mutex_){};  // for `position_`
  WakeableThread thread_;
};

}  // namespace latchkey::keys_service
