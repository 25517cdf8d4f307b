#pragma once

// A store that has no tables yet. At a first start a process that comes before the management service, which makes them,
// finds one, and waits without alarm; one that has seen the tables before takes it for a broken store.

#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace latchkey::store {

inline constexpr std::string_view no_tables = "the database has no tables of Latchkey";

/// `internal`: what the driver says.
inline Error not_made(std::string internal = {}) {
  return Error(ErrorCode::unavailable, std::string(no_tables), std::move(internal));
}

inline bool is_not_made(const Error& error) { return error.detail == no_tables; }

}  // namespace latchkey::store
