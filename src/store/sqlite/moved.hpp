#pragma once

// A store that was moved to another database says so itself, in `meta`, so that a copy of it says so too: nobody may
// serve from it or write to it any more.

#include <string_view>

#include "base/error.hpp"
#include "store/sqlite/database.hpp"

namespace latchkey::store {

/// ErrorCode::conflict, with the place it moved to and how to take the mark back.
Result<void> check_not_moved(Database& database);

/// `place`: for people, without a password. Fails where there is a mark already.
Result<void> mark_moved(Database& database, std::string_view place);

}  // namespace latchkey::store
