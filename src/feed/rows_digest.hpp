#pragma once

// A digest of all current rows, in any order: the sum, modulo 2^64, of a hash of each row. So a change takes its old
// row's hash away and adds its new one's, and two views that hold the same rows have the same sum, whatever way they
// came to them.
//
// It is over what the view holds of a row (name, metadata, labels, author and time are not in it), and a row that can let
// nobody in counts for nothing: a deleted access key, plan or user, a retired signing key. A row that was deleted by
// hand lives on in a view as such a row, and is none in the store.
//
// It finds mistakes, not forgery: an attacker that can write rows needs no collision.

#include <cstdint>

#include "key/access_key.hpp"
#include "key/plan.hpp"
#include "key/signing_key.hpp"
#include "key/user.hpp"

namespace latchkey::feed {

using RowsDigest = std::uint64_t;  // of no rows: 0

/// What counts of an access key.
struct KeyFacts {
  KeyId id;
  std::string_view user_id;  // empty where it breaks its rule
  Version version;
  std::uint32_t requests_per_minute = 0;  // 0: none
  std::uint64_t terms = 0;                // digest_of_terms(); 0: none
  IssueTime issued_at;
  std::optional<PreviousIssue> previous;
  std::optional<UnixMillis> expires_at;
  bool disabled = false;
  bool deleted = false;
};

RowsDigest digest_of(const KeyFacts& facts);
RowsDigest digest_of(const AccessKey& key, Version version);
RowsDigest digest_of(const SigningKey& key, Version version);
RowsDigest digest_of(const Plan& plan, Version version);
RowsDigest digest_of(const User& user, Version version);

/// Of a key's plan, limits besides the shorthand, scopes and networks; 0 for a key without terms.
std::uint64_t digest_of_terms(const AccessKey& key);

}  // namespace latchkey::feed
