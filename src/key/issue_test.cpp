#include "key/issue.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace latchkey {
namespace {

/// Issued at 100, rotated at 200 with a grace until 260,000 ms, expires at 300,000 ms.
AccessKey rotated_key() {
  AccessKey key;
  key.user_id = "alice";
  key.issued_at = {200};
  key.previous = PreviousIssue{{100}, {260'000}};
  key.expires_at = UnixMillis{300'000};
  return key;
}

struct Case {
  std::string what;
  std::string user_id;
  std::int64_t issued_at;
  std::int64_t now_ms;
  std::optional<IssueRefusal> refusal;
  bool rotated = true, disabled = false, deleted = false;
};

TEST(Issue, PassesOrIsRefusedForTheFirstReasonThatHolds) {
  using enum IssueRefusal;
  const Case cases[] = {
      {"the current issue", "alice", 200, 230'000, {}},
      {"the previous one in its grace", "alice", 100, 259'999, {}},
      {"the previous one when its grace ends", "alice", 100, 260'000, rotated},
      {"the issue before, where none is named", "alice", 100, 230'000, rotated, false},
      {"an issue that never was", "alice", 150, 230'000, rotated},
      {"one of the future", "alice", 201, 230'000, rotated},
      {"another user's", "mallory", 200, 230'000, rotated},
      {"no user's", "", 200, 230'000, rotated},
      {"a moment before the key expires", "alice", 200, 299'999, {}},
      {"when the key expires", "alice", 200, 300'000, expired},
      {"of a disabled key", "alice", 200, 230'000, disabled, true, true},
      {"of a disabled key, in its grace", "alice", 100, 230'000, disabled, true, true},
      {"of a disabled key that has expired", "alice", 200, 300'000, disabled, true, true},
      {"of a deleted key that was disabled", "alice", 200, 230'000, deleted, true, true, true},
      {"rotated out of a deleted key", "alice", 150, 230'000, rotated, true, false, true},
      {"after the grace, of an expired key", "alice", 100, 300'000, rotated},
  };
  for (const Case& each : cases) {
    AccessKey key = rotated_key();
    if (!each.rotated) key.previous.reset();
    key.disabled = each.disabled;
    key.deleted = each.deleted;
    EXPECT_EQ(refusal_of_issue(key, each.user_id, {each.issued_at}, {each.now_ms}), each.refusal) << each.what;
  }
}

/// Like the view's row, which reads the clock only for a key that expires.
struct EverlastingRow {
  const AccessKey& key;
  std::optional<PreviousIssue> previous() const { return key.previous; }
  template <class Now>
  KeyStatus status(const Now&) const {
    return KeyStatus::active;
  }
};

// The hot path reads no clock for a key that never expires.
TEST(Issue, AsksForTheTimeOnlyWhereItMatters) {
  AccessKey key = rotated_key();
  key.expires_at.reset();
  const EverlastingRow row{key};
  int asked = 0;
  const auto now = [&asked] { return ++asked, UnixMillis{230'000}; };
  EXPECT_EQ(refusal_of_issue(row, Issue::current, now), std::nullopt);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(refusal_of_issue(row, Issue::earlier, now), std::nullopt);
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace latchkey
