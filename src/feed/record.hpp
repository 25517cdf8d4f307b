#pragma once

// Rows and changes as bytes: what the Redis stream carries and a replica's own snapshot file holds.
//
//   change   version  nonce:8 bytes, little-endian  seq at actor action row
//   rows     version  (size row)*
//   version  1; 2 where a row's kind (key/change_kind.hpp) is 3; 3 where it is 4: an older reader refuses what it does
//            not know, and says that it has to be upgraded
//   row      'k' id:16 bytes  user_id name metadata requests_per_minute issued_at  flags
//                [previous_issued_at previous_valid_until]  [expires_at]  [plan] [limits] [rules]
//                created_at updated_at updated_by version
//            's' kid  public_key:32 bytes  state  created_at updated_at version
//            'p' name description limits metadata  flags  [rules]  created_at updated_at updated_by version
//            'u' user_id limits metadata  flags  [plan]  created_at updated_at updated_by version
//   flags    bit 0 disabled, 1 deleted, 2 has a previous issue, 3 expires, 4 has a plan, 5 has limits, 6 has rules
//   rules    has:1 byte  [scopes] [networks] [labels]; `has`: bit 0 scopes, 1 networks, 2 labels (of a key only)
//   limits   as JSON (key/limit_spec.hpp); requests_per_minute 0: none. Scopes, networks and labels are JSON, too
//   state    0 signing, 1 verifying, 2 retired
//
// seq, requests_per_minute, version and sizes are unsigned LEB128; times are LEB128 of their zigzag form (seconds for
// the two issue times, else milliseconds); texts are size and bytes. Texts that nobody's decision depends on (actor,
// action, updated_by) are cut at max_label_bytes when written. A reader expects anything at all: broken, truncated
// or trailing bytes are an error, never a row.

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "feed/change_feed.hpp"

namespace latchkey::feed {

constexpr std::size_t max_label_bytes = 512;
/// No row, and no change, is longer.
constexpr std::size_t max_record_bytes = 16384;

std::string encode_change(const Change& change);
/// ErrorCode::internal when the bytes are not exactly one change.
Result<Change> decode_change(std::string_view bytes);

/// A run of rows, up to the size its owner chooses.
class RowsWriter {
 public:
  void add(const AccessKey& key);
  void add(const SigningKey& key, Version version);
  void add(const Plan& plan);
  void add(const User& user);
  /// The row of a change, as of that change.
  void add(const Change& change);
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.size() == 1; }
  /// What was written; begins another run.
  std::string take();

 private:
  void add_row(std::string_view row, char version);
  std::string bytes_{1};  // its version first
};

/// Hands every row to `sink`, in order; those before a broken one included. ErrorCode::internal when the bytes are not
/// exactly a run of rows.
Result<void> decode_rows(std::string_view bytes, SnapshotSink& sink);

}  // namespace latchkey::feed
