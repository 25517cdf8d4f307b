#pragma once

// One access key as the access check needs it: 96 bytes and the user id behind them, in one piece of the row arena. A key
// with terms (view/terms.hpp) has the way to them behind that; one without, which is most, has no byte more.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "feed/rows_digest.hpp"
#include "key/access_key.hpp"
#include "key/issue.hpp"
#include "view/memo.hpp"

namespace latchkey::view {

struct KeyTerms;

/// What a row has of the view it stands in.
struct RowLinks {
  const KeyTerms* terms = nullptr;  // null: none; outlives the row
  std::uint16_t user_tag = 0;       // of the user id, for the view's UserFilter
};

/// Immutable once published, but for its memos, which readers write.
class KeyRow {
 public:
  static std::size_t bytes_needed(const AccessKey& key, const RowLinks& links) {
    return sizeof(KeyRow) + usable_user_id(key).size() + (links.terms != nullptr ? sizeof links.terms : 0);
  }
  std::size_t bytes() const {
    return sizeof(KeyRow) + user_id_size_ + ((flags_ & terms_flag) != 0 ? sizeof(const KeyTerms*) : 0);
  }
  /// Builds the row in `place`, which is aligned to 8 and holds bytes_needed(). A user id that breaks its rule (a row
  /// edited by hand) becomes the empty one, which no token has: such a key is refused.
  static KeyRow* create(void* place, const AccessKey& key, Version version, const RowLinks& links);

  KeyId id() const { return id_; }
  Version version() const { return version_; }
  std::string_view user_id() const { return {reinterpret_cast<const char*>(this + 1), user_id_size_}; }
  /// The user id as far as a row of users may have it: an odd one is no user's.
  std::uint16_t user_tag() const { return user_tag_; }
  const KeyTerms* terms() const { return (flags_ & terms_flag) == 0 ? nullptr : read_terms(); }
  std::uint32_t requests_per_minute() const { return requests_per_minute_; }  // 0: none, then it has terms
  IssueTime issued_at() const { return issued_at_; }
  std::optional<PreviousIssue> previous() const;
  std::optional<UnixMillis> expires_at() const;
  bool disabled() const { return (flags_ & disabled_flag) != 0; }
  bool deleted() const { return (flags_ & deleted_flag) != 0; }
  /// As latchkey::status_of(). `now` is called only where time matters.
  template <class Now>
  KeyStatus status(Now&& now) const {
    if (deleted()) return KeyStatus::deleted;
    if (disabled()) return KeyStatus::disabled;
    if ((flags_ & expires_flag) != 0 && expires_at_ <= now()) return KeyStatus::expired;
    return KeyStatus::active;
  }

  /// As of the access key that the row was made of.
  feed::RowsDigest digest() const;
  /// What the row knows of the key; the rest as in a new one.
  AccessKey as_access_key() const;

  /// Of an earlier issue that was rotated out, too: the memo makes its next refusal cheap.
  const Memo& memo(Issue issue) const { return memos_[static_cast<std::size_t>(issue)]; }
  /// Before publication: takes over what `replaced` remembers of issues that mean the same in this row.
  void inherit_memos(const KeyRow& replaced);

 private:
  static constexpr std::uint8_t disabled_flag = 1, deleted_flag = 2, expires_flag = 4, previous_flag = 8,
                                terms_flag = 16;

  KeyRow(const AccessKey& key, Version version, const RowLinks& links);
  const KeyTerms* read_terms() const;
  static std::string_view usable_user_id(const AccessKey& key);

  KeyId id_;
  Memo memos_[2];
  IssueTime issued_at_;
  PreviousIssue previous_;  // meaningful with previous_flag
  UnixMillis expires_at_;   // meaningful with expires_flag
  Version version_;
  std::uint32_t requests_per_minute_;
  std::uint8_t flags_ = 0;
  std::uint8_t user_id_size_;
  std::uint16_t user_tag_;
};
static_assert(sizeof(KeyRow) == 96);

}  // namespace latchkey::view
