#pragma once

// Reads that more than one connection makes: the writer's within a transaction, a reader's by itself.

#include <optional>
#include <vector>

#include "store/key_store.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

Result<std::optional<AccessKey>> find_key(Connection& connection, KeyId id);
Result<std::vector<SigningKey>> signing_keys(Connection& connection);
Result<std::vector<Change>> changes_after(Connection& connection, Seq after, std::size_t limit);
Result<Position> position(Connection& connection);
Result<KeyPage> list_keys(Connection& connection, const KeyPageRequest& request);

}  // namespace latchkey::store::postgres
