#pragma once

// Plans and users as the API shows them.

#include "base/json_writer.hpp"
#include "key/plan.hpp"
#include "key/position.hpp"
#include "key/user.hpp"

namespace latchkey::keys_service {

/// "userId","plan","limits","disabled","metadata","createdAt","updatedAt","updatedBy","position", into an object that is
/// open.
void write_members(JsonWriter& out, const User& user, Epoch epoch);
/// "name","description","limits","scopes","networks","metadata","createdAt","updatedAt","updatedBy","position", likewise. How many keys it
/// is in force for, "keys", is the caller's to add.
void write_members(JsonWriter& out, const Plan& plan, Epoch epoch);

/// "scopes","networks", into an object that is open; null for none.
void write_lists(JsonWriter& out, const ScopeList* scopes, const NetworkList* networks);

std::string etag_of_version(Version version);

}  // namespace latchkey::keys_service
