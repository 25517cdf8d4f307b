#pragma once

// May this issue of a key pass? The end of every access check, once the token's signature is known to be good. Asked of
// the view (access/access_check.hpp), of the store (keys_service/holder_check.hpp) and within a transaction
// (commands/disable_own_key.hpp).
//
// Example: a key was issued at 100 and rotated at 200 with a grace until 260. At 230 the tokens with `iat` 100 and 200
// pass; at 260 the one with 100 is refused as rotated. If the key is disabled at 240, both are refused as disabled; a
// token of another user or with any other `iat` is refused as rotated whatever the key's status is.

#include <optional>
#include <string_view>

#include "key/access_key.hpp"

namespace latchkey {

/// `current`: the issue the row names. `earlier`: one before it; the previous issue while the row names one (it may
/// pass until its grace ends), otherwise any that was rotated out.
enum class Issue : std::uint8_t { current, earlier };

/// Why an issue may not pass. The first that holds is the reason, in this order.
enum class IssueRefusal : std::uint8_t { rotated, deleted, disabled, expired };

/// The row as the functions below ask for it; the view's KeyRow has these members itself.
class IssueRow {
 public:
  explicit IssueRow(const AccessKey& key) : key_(key) {}
  std::string_view user_id() const { return key_.user_id; }
  IssueTime issued_at() const { return key_.issued_at; }
  const std::optional<PreviousIssue>& previous() const { return key_.previous; }
  template <class Now>
  KeyStatus status(const Now& now) const {
    return status_of(key_, now());
  }

 private:
  const AccessKey& key_;
};

/// Which issue of the row's key a token with these claims is; nullopt: one that the row does not name.
template <class Row>
std::optional<Issue> issue_named(const Row& row, std::string_view user_id, IssueTime issued_at) {
  if (user_id != row.user_id()) return std::nullopt;
  if (issued_at == row.issued_at()) return Issue::current;
  const auto& previous = row.previous();
  if (previous && issued_at == previous->issued_at) return Issue::earlier;
  return std::nullopt;
}

/// Why this issue may not pass at `now()`; nullopt: it may. `now` is called only where time matters.
template <class Row, class Now>
std::optional<IssueRefusal> refusal_of_issue(const Row& row, std::optional<Issue> issue, const Now& now) {
  if (!issue) return IssueRefusal::rotated;
  if (*issue == Issue::earlier) {
    const auto& previous = row.previous();
    if (!previous || previous->valid_until <= now()) return IssueRefusal::rotated;
  }
  switch (row.status(now)) {
    case KeyStatus::deleted:
      return IssueRefusal::deleted;
    case KeyStatus::disabled:
      return IssueRefusal::disabled;
    case KeyStatus::expired:
      return IssueRefusal::expired;
    case KeyStatus::active:
      break;
  }
  return std::nullopt;
}

/// Both steps for a row of the store.
inline std::optional<IssueRefusal> refusal_of_issue(const AccessKey& key, std::string_view user_id, IssueTime issued_at,
                                                    UnixMillis now) {
  const IssueRow row(key);
  return refusal_of_issue(row, issue_named(row, user_id, issued_at), [now] { return now; });
}

}  // namespace latchkey
