#pragma once

// What the user id of a new row must be, in any script: UTF-8 in Unicode's normal form C, so that what looks the same is
// the same, with no character that is unassigned, or that controls or formats text (a bidi override, a joiner, a line
// separator). `.` and `..` are refused, since no URL keeps them in its path.
//
// Example: "Zo\u00eb" is taken, and "Zoe\u0308", the same name in other characters, is refused with a word on NFC.
//
// Rows that are there stay as they are: key/access_key.hpp says what any id is. Unicode is utf8proc's.

#include <string_view>

#include "base/error.hpp"

namespace latchkey::commands {

/// ErrorCode::invalid at /userId.
Result<void> check_new_user_id(std::string_view user_id);

}  // namespace latchkey::commands
