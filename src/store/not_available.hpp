#pragma once

// The server of the store is not there, or not now. It may come, so a process that can wait does.

#include <string_view>

namespace latchkey::store {

inline constexpr std::string_view not_available = "the database is not available";

}  // namespace latchkey::store
