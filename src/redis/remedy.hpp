#pragma once

// What an error of the server means for its operator.

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace latchkey::redis {

inline constexpr std::string_view sentinel =
    "this is a Redis Sentinel, which holds no data; to be led to its primary: redis-sentinel://HOST:PORT/PRIMARY-NAME";
inline constexpr std::string_view cluster =
    "a node of a Redis Cluster is not supported; name a server without cluster-enabled";

/// The code of an error reply to the command `sent`; with what to do, where that is known: a missing permission, a
/// Sentinel, a Cluster, a wrong password. Never an argument.
std::string refusal(std::string_view error, std::string_view sent);

/// With what to do, where the server refused a command or script for what may stand at its keys. (Before Redis 7 a
/// script's error has no code of its own.)
Error with_remedy(Error error, std::string_view remedy);

}  // namespace latchkey::redis
