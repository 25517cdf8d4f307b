#pragma once

// The triggers that record changes: each appends the full new row to `changes` in the same transaction, and brings the
// row in line with the change (`version`, `updated_at`, `updated_by`).
//
// How one tells a command from an edit by hand: a command's statement also sets the column `command` to its action, and
// the trigger takes it back to NULL at once. A statement that leaves it NULL was typed by hand; the trigger then finds
// the action by comparing the rows, names the actor "unknown" and moves `updated_at` forward itself.

#include <string>

namespace latchkey::store {

/// Of schema 1: access_keys and signing_keys.
std::string triggers_of_schema_1();
/// In their place, with the columns that schema 3 added, and those of plans and users.
std::string triggers_of_schema_3();
/// In their place, with the columns that schema 4 added.
std::string triggers_of_schema_4();
/// In their place: a row that is deleted already is removed without a change, and `changes` lets an erasure pass.
std::string triggers_of_schema_5();
/// In their place: what they say of readers is a word of schema 6.
std::string triggers_of_schema_6();

}  // namespace latchkey::store
