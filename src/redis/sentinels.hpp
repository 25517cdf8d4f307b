#pragma once

// Where the primary is, as Sentinels say. One is enough to know; the primary itself confirms it (ROLE).
// https://redis.io/docs/latest/develop/reference/sentinel-clients/

#include <memory>

#include "redis/connection.hpp"

namespace latchkey::redis {

/// One thread at a time.
class Sentinels {
 public:
  Sentinels(const Address& address, Timeouts timeouts) : address_(address), timeouts_(timeouts) {}

  /// Asks the Sentinel that answered last, and the others if it does not. A silent one costs one timeout: the next call
  /// begins with another.
  Result<Endpoint> primary();
  /// Where the primary is, and a connection to it.
  Result<std::unique_ptr<Connection>> connect();
  /// What the Sentinel said was not so: the next question goes to another.
  void doubt();

 private:
  Result<Endpoint> ask();

  const Address address_;
  const Timeouts timeouts_;
  std::size_t asked_ = 0;                   // number of the Sentinel
  std::unique_ptr<Connection> connection_;  // to it
};

}  // namespace latchkey::redis
