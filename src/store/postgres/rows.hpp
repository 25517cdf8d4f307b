#pragma once

// Columns ↔ values, shared by the store and the feed. Each list of columns belongs to the reader below it; `at` is the
// column at which the list begins in the row.

#include <string_view>

#include "base/error.hpp"
#include "key/access_key.hpp"
#include "key/change.hpp"
#include "key/signing_key.hpp"
#include "store/postgres/connection.hpp"
#include "store/terms_rows.hpp"

namespace latchkey::store::postgres {

/// A row that the values' rules do not allow (changed behind CHECK's back) is ErrorCode::internal.
constexpr std::string_view key_columns =
    "key_id, user_id, name, metadata, requests_per_minute, issued_at, previous_issued_at, previous_valid_until,"
    " expires_at, disabled, deleted, created_at, updated_at, updated_by, version, plan, limits,"
    " scopes, networks, labels";
constexpr KeyTermsColumns key_terms_at{15, 16, 17, 18, 19};
Result<AccessKey> read_access_key(const Row& row);

constexpr std::string_view signing_key_columns = "kid, public_key, state, created_at, updated_at, version";
Result<SigningKey> read_signing_key(const Row& row);
constexpr int signing_key_version_column = 5;

constexpr std::string_view change_columns =
    "key_id, user_id, name, metadata, requests_per_minute, issued_at, previous_issued_at, previous_valid_until,"
    " expires_at, disabled, deleted, created_at, at, actor, seq, action, kid, public_key, state, nonce,"
    " kind, plan, limits, description, scopes, networks, labels";
Result<Change> read_change(const Row& row, int at = 0);
constexpr int change_seq_column = 14;

/// $1 to $21 of the INSERT in PostgresTransaction::put_key().
constexpr std::string_view key_write_columns =
    "key_id, user_id, role, name, metadata, requests_per_minute, issued_at, previous_issued_at, previous_valid_until,"
    " expires_at, disabled, deleted, created_at, updated_at, updated_by, plan, limits, scopes, networks,"
    " labels, command";
inline bool flag_at(const Row& row, int column) { return row.boolean(column); }

Parameters key_parameters(const AccessKey& key, std::string_view action);

std::string_view as_bytes(const Ed25519PublicKey& key);

}  // namespace latchkey::store::postgres
