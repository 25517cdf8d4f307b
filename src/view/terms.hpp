#pragma once

// What a key's row says besides a number of requests per minute: a plan, or limits of its own. Few different ones for
// many keys, so each is held once and rows point to it; a row that has none of these points to nothing.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "feed/rows_digest.hpp"
#include "key/access_key.hpp"
#include "key/plan.hpp"
#include "key/user.hpp"

namespace latchkey::view {

struct KeyTerms {
  std::optional<std::string> plan;
  std::optional<LimitList> limits;  // besides the shorthand, as AccessKey::limits
  std::uint64_t digest = 0;         // feed::digest_of_terms()
};

/// One writer. What was handed out lives as long as this: references are not counted. It grows with the number of
/// different terms that were ever seen, and a reload begins anew.
class TermsBook {
 public:
  /// nullptr for a key without terms.
  const KeyTerms* of(const AccessKey& key);
  std::size_t size() const { return book_.size(); }

 private:
  std::map<std::string, std::unique_ptr<const KeyTerms>, std::less<>> book_;  // by plan and limits as text
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
  const User* user = nullptr;     // null: no such row; a deleted one is there, for its version
  const Plan* plan = nullptr;     // that of the key, else of the user; null: none, or none of that name; may be deleted
};

}  // namespace latchkey::view
