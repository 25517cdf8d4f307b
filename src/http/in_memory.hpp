#pragma once

// Calls a handler without a socket: the middle test distance.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/exchange.hpp"

namespace latchkey::http {

struct Reply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // of a stream: all pieces until it closed
  /// The first header of that name (any case), or "".
  std::string header(std::string_view name) const;
};

/// Runs one request through `handler` and waits for its answer, deferred or not.
Reply call(Handler& handler, Method method, std::string_view target, const std::vector<Header>& headers = {},
           std::string_view body = {}, const Peer& peer = {});

}  // namespace latchkey::http
