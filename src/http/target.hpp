#pragma once

// The request target (RFC 9112 section 3.2): origin form "/a?b", absolute form "http://host/a?b", and "*" for OPTIONS.

#include "http/message.hpp"

namespace latchkey::http {

/// Sets path and query from method and target. False: no form we serve, or octets no URI has (spaces, controls,
/// non-ASCII, a fragment). The authority of an absolute form is ignored: there is one site behind this server.
[[nodiscard]] bool split_target(Request& request);

}  // namespace latchkey::http
