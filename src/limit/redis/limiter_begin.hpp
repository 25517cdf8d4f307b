#pragma once

// `latchkey limiter begin`: an operator says that nothing was admitted yet, so that the first start of a shared limiter need not
// wait for a minute that nobody knows.

#include "base/clock.hpp"
#include "base/error.hpp"
#include "redis/address.hpp"

namespace latchkey::limit::lease {

enum class Begun : std::uint8_t {
  said,        // for a minute; the first call of a replica takes it
  has_counted  // a replica has called before: nothing was done
};

/// Errors: as a connection's; a server that does not take writes refuses this one.
Result<Begun> begin(const redis::Address& address, const Clock& clock);

}  // namespace latchkey::limit::lease
