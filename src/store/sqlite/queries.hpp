#pragma once

// Reads that more than one connection makes: the writer's within a transaction, a reader's by itself.

#include <optional>
#include <vector>

#include "store/key_store.hpp"
#include "store/sqlite/database.hpp"

namespace latchkey::store {

Result<std::optional<AccessKey>> find_key(Database& database, KeyId id);
Result<std::vector<SigningKey>> signing_keys(Database& database);
Result<std::vector<Change>> changes_after(Database& database, Seq after, std::size_t limit);
Result<LogEnd> log_end(Database& database);
Result<KeyPage> list_keys(Database& database, const KeyPageRequest& request);
Result<std::vector<KeyId>> list_key_ids(Database& database, const KeyPageRequest& request);

/// The statement list_keys() uses for such a filter. Each names the index it walks, newest first, so that a page never
/// sorts and never walks rows outside that index.
std::string list_keys_sql(const KeyFilter& filter, KeyOrder order = KeyOrder::newest_first);

/// What a row must have for these conditions (key/selector.hpp), from parameter `first` on: ` AND …`; empty for none.
std::string selector_condition(const Selector& selector, int first);
/// The paths of its labels; they must outlive the statement's steps.
std::vector<std::string> paths_of(const Selector& selector);
void bind_selector(Statement& statement, const Selector& selector, const std::vector<std::string>& paths, int first);

}  // namespace latchkey::store
