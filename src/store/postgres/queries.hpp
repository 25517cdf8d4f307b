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
Result<std::vector<KeyId>> list_key_ids(Connection& connection, const KeyPageRequest& request);

/// What a row must have for these conditions (key/selector.hpp), from parameter `first` on: ` AND …`; empty for none.
/// Each has two parameters: its label's name and its value.
std::string selector_condition(const Selector& selector, int first);

}  // namespace latchkey::store::postgres
