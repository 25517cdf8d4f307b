#pragma once

#include <memory>

#include "base/error.hpp"
#include "http/uring/ring.hpp"

namespace latchkey::http {

/// A ring of the running kernel (Linux 6.1 or newer; containers often forbid it). ErrorCode::unavailable says why not.
Result<std::unique_ptr<RingKernel>> open_linux_ring();

}  // namespace latchkey::http
