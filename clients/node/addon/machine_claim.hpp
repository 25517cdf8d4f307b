#pragma once

#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace latchkey::node {

/// Held by the one process of this machine (more exactly: network namespace) that counts by itself what is admitted of
/// the keys of `source`. A second one would let every limit pass twice, so it gets ErrorCode::conflict. The kernel lets
/// go of it when the process ends, however it ends.
class MachineClaim {
 public:
  static Result<MachineClaim> take(std::string_view source);

 private:
  explicit MachineClaim(Descriptor socket) : socket_(std::move(socket)) {}
  Descriptor socket_;
};

}  // namespace latchkey::node
