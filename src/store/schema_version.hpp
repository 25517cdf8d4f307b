#pragma once

// Which releases may use a database, as the database itself says. Both engines keep two things:
//
//   schema    the number of the migration that was run last; each adds tables and columns, and none rewrites `changes`
//   readers   "<schema> <oldest>": what the release of that schema says of replicas and relays of older releases: those
//             of schema <oldest> and later understand every kind of change that the log holds
//
// A management service needs exactly its own schema. It brings an older database up when it starts; one that was
// brought up by a newer release it refuses, at once or with its next command. Replicas and relays write nothing there
// but their reports, so a newer release may let older ones go on: a migration that says nothing of `readers` leaves a
// word of another schema standing, which counts for nothing, and they refuse. Example: schema 3 adds plans and says "3
// 2"; a replica of schema 2 goes on. With the first change of a kind that it cannot apply, the same transaction says "3
// 3", and the replica refuses from there on.

#include <cstdint>
#include <string_view>

#include "base/error.hpp"

namespace latchkey::store {

constexpr std::int64_t schema_version = 6;
/// What this release says of older readers of a new store. With the first change of kind 3 (key/change_kind.hpp) it
/// becomes "6 3", with the first of kind 4 "6 4".
constexpr std::string_view readers_of_schema = "6 2";

/// For a replica or relay. ErrorCode::unavailable, with a sentence that says which side is to be upgraded.
Result<void> check_readable(std::int64_t schema, std::string_view readers);

/// For a management service that found its tables up to date when it started.
Result<void> check_writable(std::int64_t schema);

}  // namespace latchkey::store
