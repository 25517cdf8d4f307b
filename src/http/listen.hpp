#pragma once

#include <string_view>

#include "base/error.hpp"
#include "http/asio_types.hpp"

namespace latchkey::http {

/// "127.0.0.1:7070", "[::1]:7070", "localhost:0". ErrorCode::invalid for anything else.
Result<Tcp::endpoint> parse_listen(std::string_view listen);

/// A listener that shares its port with those of the process's other threads (SO_REUSEPORT); port 0 takes a free one.
Result<Acceptor> open_listener(asio::io_context& io, const Tcp::endpoint& endpoint);

/// Fails with ErrorCode::unavailable where another process listens. SO_REUSEPORT alone would share the port with a
/// second instance of this user's, and each would get half the clients.
Result<void> check_unused(asio::io_context& io, const Tcp::endpoint& endpoint);

}  // namespace latchkey::http
