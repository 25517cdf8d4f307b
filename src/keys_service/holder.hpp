#pragma once

#include <variant>

#include "http/message.hpp"
#include "keys_service/call.hpp"
#include "keys_service/holder_check.hpp"

namespace latchkey::keys_service {

/// The key behind a holder's request, or the answer that refuses it. An admin token is 403 wrong-kind.
std::variant<HeldKey, http::Response> holder_of(RouteContext& context, const http::Request& request, UnixMillis now);

}  // namespace latchkey::keys_service
