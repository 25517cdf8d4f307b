#pragma once

#include <cstdint>

namespace latchkey::limit {

/// Whether a request's units are within one limit. Times are nanoseconds from now.
struct Fit {
  bool fits = true;
  std::uint64_t used = 0;     // in the window or period
  std::int64_t wait_ns = 0;   // until they fit if nobody takes any; 0 where they do, or never will
  std::int64_t reset_ns = 0;  // until some of what is used comes back; 0: nothing is used
  bool is_set_aside = true;   // false: they fit, but a power cut would forget them
};

}  // namespace latchkey::limit
