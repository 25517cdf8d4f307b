#pragma once

// How much a key may do, from its own row and from the rows of its plan and user: key/in_force.hpp over what the view
// has, without an allocation.

#include <cstdint>

#include "view/row.hpp"
#include "view/terms.hpp"

namespace latchkey::access {

enum class Bound : std::uint8_t {
  per_minute,   // one limit, which a number of requests per minute says
  unlimited,    // none, and the key says that it needs none
  none,         // none, or the plan that holds is not there: refused
  unsupported,  // among the limits is one that no engine of this release enforces: refused
};

struct Bounds {
  Bound bound = Bound::per_minute;
  std::uint32_t requests_per_minute = 0;
  /// Of what is in force: grows with every change that alters it, of whichever row.
  Version version;
};

Bounds bounds_of(const view::KeyRow& row, const view::TermsInForce& terms);

}  // namespace latchkey::access
