#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/retry_backoff.hpp"
#include "redis/sentinels.hpp"

namespace latchkey::redis {

/// A connection that is opened when it is needed and opened again after it broke; after a failed attempt no other is
/// made for a pause that doubles from 20 ms to 1 s. With Sentinels it leads to the primary: they are asked at each
/// opening, once more every two seconds, and at once when the server has said that it cannot be written to. One thread
/// at a time; `clock` outlives it.
class Link {
 public:
  Link(Address address, Timeouts timeouts, const Clock& clock)
      : address_(std::move(address)), timeouts_(timeouts), clock_(clock), sentinels_(address_, timeouts) {}

  /// Valid until the next get() or drop(), which may open another. During a pause the last failure, at once.
  Result<Connection*> get();
  /// Closes it: the next get() opens another.
  void drop() { connection_.reset(); }
  /// Counts the connections opened: a change says that what was agreed with the server on the one before is void.
  std::uint64_t generation() const { return generation_; }

 private:
  Result<std::unique_ptr<Connection>> open();
  bool leads_to_primary();

  const Address address_;
  const Timeouts timeouts_;
  const Clock& clock_;
  Sentinels sentinels_;
  std::unique_ptr<Connection> connection_;
  std::optional<Endpoint> last_primary_;
  BootTime next_look_{};   // at what the Sentinels say
  BootTime next_doubt_{};  // of a primary that cannot be written to
  std::uint64_t generation_ = 0;
  NextAttempt<BootTime> attempt_;
  Error last_failure_;
};

}  // namespace latchkey::redis
