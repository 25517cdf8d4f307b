#pragma once

// Columns ↔ values, shared by the store and the feed. Each list of columns belongs to the reader below it.

#include <string_view>

#include "base/error.hpp"
#include "key/access_key.hpp"
#include "key/change.hpp"
#include "key/signing_key.hpp"
#include "store/key_store.hpp"
#include "store/sqlite/database.hpp"
#include "store/terms_rows.hpp"

namespace latchkey::store {

/// A row that the values' rules do not allow (a file changed behind CHECK's back) is ErrorCode::internal.
constexpr std::string_view key_columns =
    "key_id, user_id, name, metadata, requests_per_minute, issued_at, previous_issued_at, previous_valid_until,"
    " expires_at, disabled, deleted, created_at, updated_at, updated_by, version, plan, limits,"
    " scopes, networks, labels";
constexpr KeyTermsColumns key_terms_at{15, 16, 17, 18, 19};
Result<AccessKey> read_access_key(const Statement& row);

constexpr std::string_view signing_key_columns = "kid, public_key, state, created_at, updated_at, version";
Result<SigningKey> read_signing_key(const Statement& row);
constexpr int signing_key_version_column = 5;

inline bool flag_at(const Statement& row, int column) { return row.integer(column) != 0; }

constexpr std::string_view change_columns =
    "key_id, user_id, name, metadata, requests_per_minute, issued_at, previous_issued_at, previous_valid_until,"
    " expires_at, disabled, deleted, created_at, at, actor, seq, action, kid, public_key, state, nonce,"
    " kind, plan, limits, description, scopes, networks, labels";
Result<Change> read_change(const Statement& row);

/// The columns of one INSERT into access_keys, in this order, `command` last.
constexpr std::string_view key_write_columns =
    "key_id, user_id, role, name, metadata, requests_per_minute, issued_at, previous_issued_at, previous_valid_until,"
    " expires_at, disabled, deleted, created_at, updated_at, updated_by, plan, limits, scopes, networks,"
    " labels, command";
/// Binds parameters 1 to 21. All but `statement` must outlive the step.
struct KeyTexts {
  std::string id;
  std::optional<std::string> limits;
  AccessRuleTexts rules;
  std::optional<std::string> labels;
};
KeyTexts texts_of(const AccessKey& key);
void bind_access_key(Statement& statement, const KeyTexts& texts, const AccessKey& key, std::string_view action);

Result<Epoch> parse_epoch(std::string_view text);

}  // namespace latchkey::store
