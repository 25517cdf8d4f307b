#pragma once

// A store whose server is not there, or not now: it may come, so whoever can wait does.

#include <string_view>

namespace latchkey::store {

inline constexpr std::string_view not_available = "the database is not available";

}  // namespace latchkey::store
