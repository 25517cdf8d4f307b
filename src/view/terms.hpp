#pragma once

// What a key's row says besides a number of requests per minute: a plan, or limits, scopes and networks of its own. Few
// different ones for many keys, so each is held once and rows point to it; a row that has none of these points to nothing.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "feed/rows_digest.hpp"
#include "key/access_key.hpp"
#include "key/plan.hpp"
#include "key/user.hpp"
#include "limit/active_limit.hpp"

namespace latchkey::view {

/// A limit of a row, with what the limiter needs of it: made once, where the row is read.
struct PreparedLimit {
  LimitSpec spec;
  limit::ActiveLimit active;  // without version and epoch
  bool zone_is_known = true;  // false: this system's tzdata has no such time zone; then `active` counts nothing
};
using PreparedLimits = std::vector<PreparedLimit>;

/// `defined_by`: "plan:pro", "user:alice"; of a limit per user it is part of the count's identity.
PreparedLimits prepared(const LimitList& limits, std::string_view defined_by);

/// Scopes as headers have them, for as long as anybody needs them; null for no list.
using SharedText = std::shared_ptr<const std::string>;
SharedText shared_text(const std::optional<ScopeList>& scopes);

struct KeyTerms {
  std::optional<std::string> plan;
  std::optional<LimitList> limits;  // besides the shorthand, as AccessKey::limits
  std::uint64_t digest = 0;         // feed::digest_of_terms()
  PreparedLimits prepared{};        // of `limits`; all of them per key
  std::optional<ScopeList> scopes{};
  std::optional<NetworkList> networks{};
  SharedText scopes_text{};  // of `scopes`

  /// The key itself says that it needs none. Only where it has no number of requests per minute either.
  bool are_no_limits() const { return limits && limits->empty(); }
};

struct PlanRow : Plan {
  explicit PlanRow(Plan plan)
      : Plan(std::move(plan)), prepared(view::prepared(limits, "plan:" + name)), scopes_text(shared_text(scopes)) {}
  PreparedLimits prepared;
  SharedText scopes_text;
};

struct UserRow : User {
  explicit UserRow(User user)
      : User(std::move(user)),
        prepared(view::prepared(limits, "user:" + user_id)),
        owner(limit::owner_of_user(user_id)) {}
  PreparedLimits prepared;
  limit::OwnerId owner;  // of counts per user
};

/// One writer. What was handed out lives as long as this: references are not counted. It grows with the number of
/// different terms that were ever seen, and a reload begins anew.
class TermsBook {
 public:
  /// nullptr for a key without terms.
  const KeyTerms* of(const AccessKey& key);
  std::size_t size() const { return book_.size(); }

 private:
  std::map<std::string, std::unique_ptr<const KeyTerms>, std::less<>> book_;  // by all of it as text
};

/// Which user ids may have a row of users: a bit for each of 65,536 tags, so that a key of a user id without one, which
/// is most keys, is known as such by one look at 8 KiB.
class UserFilter {
 public:
  using Tag = std::uint16_t;
  void add(Tag tag) { word_of(tag).fetch_or(bit_of(tag), std::memory_order_seq_cst); }
  bool may_have(Tag tag) const { return (words_[tag / 64].load(std::memory_order_acquire) & bit_of(tag)) != 0; }

 private:
  static std::uint64_t bit_of(Tag tag) { return std::uint64_t{1} << (tag % 64); }
  std::atomic<std::uint64_t>& word_of(Tag tag) { return words_[tag / 64]; }
  std::array<std::atomic<std::uint64_t>, 1024> words_{};
};

/// What holds for one key at one moment. All of it stays valid while the reader lives that it came from.
struct TermsInForce {
  const KeyTerms* own = nullptr;  // null: a number of requests per minute and nothing else
  const UserRow* user = nullptr;  // null: no such row; a deleted one is there, for its version
  const PlanRow* plan = nullptr;  // that of the key, else of the user; null: none, or none of that name; may be deleted
};

}  // namespace latchkey::view
