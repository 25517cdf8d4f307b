#pragma once

// Waiting for the relay's next write: one XREAD BLOCK that stands at the server across calls, on a connection of its
// own. With nothing to hear it is answered after a second, which is the poll behind; one that is not answered even then
// stands on a connection that leads nowhere, and is given up.

#include <chrono>
#include <string>

#include "base/wake_event.hpp"
#include "feed/redis/stream_access.hpp"
#include "redis/link.hpp"

namespace latchkey::feed {

/// One waiting thread; wake() from any.
class WakeSubscription {
 public:
  WakeSubscription(redis::Address address, const Clock& clock);

  /// As StreamAccess::wait().
  Result<Nudge> wait(const std::string& seen, std::chrono::milliseconds patience);
  void wake() { wake_event_.wake(); }

 private:
  Result<void> stand_by(const std::string& seen);
  Error give_up(Error why);

  redis::Link link_;
  const Clock& clock_;
  WakeEvent wake_event_;
  redis::Connection* waiting_ = nullptr;  // where a read stands
  std::uint64_t waiting_generation_ = 0;  // of link_ then
  BootTime answer_due_{};                 // of that read
};

}  // namespace latchkey::feed
