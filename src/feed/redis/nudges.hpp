#pragma once

// Waiting for the relay's next write: one XREAD BLOCK that stands at the server across calls, on a connection of its
// own. With nothing to hear it is answered after a second, which is the poll behind.

#include <chrono>
#include <optional>
#include <string>

#include "redis/link.hpp"

namespace latchkey::feed {

/// One waiting thread; wake() from any.
class Nudges {
 public:
  Nudges(redis::Address address, const Clock& clock);
  ~Nudges();
  Nudges(const Nudges&) = delete;
  Nudges& operator=(const Nudges&) = delete;

  enum class Reason { nudged, woken, timeout };
  /// Returns when something was written after the nudge `seen` (or may have been), on wake(), or at `deadline`.
  Result<Reason> wait(const std::string& seen, std::chrono::steady_clock::time_point deadline);
  void wake();

 private:
  redis::Link link_;
  int wake_event_;
  redis::Connection* waiting_ = nullptr;  // where a read stands
};

}  // namespace latchkey::feed
