#pragma once

// A service is a table: one row a route, one function a row, one file a function. The table says which caller may use a
// route, so that router, tests and documentation ask one place.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/router.hpp"

namespace latchkey::service {

/// What a request must bring before its route's function runs.
enum class Needs : std::uint8_t {
  nothing,  // answered at once from memory, on the I/O thread
  store,    // no credential, but the store is asked: on a worker
  key,      // an access key
  permit,   // an access key, and one permit of its limit: the request is counted
  viewer,   // an admin token of either role
  admin,    // an admin token with the role admin
};

/// One row. `method` other: every method. "/*" at the end of `path`: every path below. The views outlive the service.
template <class Handler>
struct Route {
  http::Method method;
  std::string_view path;
  Needs needs;
  Handler handler;
};

/// Adds each row to `router`; `wrap` makes of a row what the router calls. The rows outlive the router.
template <class Handler, class Wrap>
void add_routes(http::Router& router, std::span<const Route<Handler>> rows, Wrap wrap) {
  for (const auto& row : rows) {
    row.method == http::Method::other ? router.on_any(row.path, wrap(row)) : router.on(row.method, row.path, wrap(row));
  }
}

}  // namespace latchkey::service
