#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/retry_backoff.hpp"
#include "redis/connection.hpp"

namespace latchkey::redis {

/// A connection that is opened when it is needed and opened again after it broke; after a failed attempt no other is
/// made for a pause that doubles from 20 ms to 1 s. One thread at a time; `clock` outlives it.
class Link {
 public:
  Link(Address address, Timeouts timeouts, const Clock& clock)
      : address_(std::move(address)), timeouts_(timeouts), clock_(clock) {}

  /// Valid until the next get() or drop(). During a pause the last failure, at once.
  Result<Connection*> get();
  /// Closes it: the next get() opens another.
  void drop() { connection_.reset(); }
  /// Counts the connections opened: a change says that what was agreed with the server on the one before is void.
  std::uint64_t generation() const { return generation_; }

 private:
  const Address address_;
  const Timeouts timeouts_;
  const Clock& clock_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t generation_ = 0;
  NextAttempt<BootTime> attempt_;
  Error last_failure_;
};

}  // namespace latchkey::redis
