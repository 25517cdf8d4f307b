#pragma once

// The same done to all keys of a user, or to all with certain labels.
//
// The set is found first; then it is changed in commits of its own, a bounded number of keys each, so that other
// commands go on in between. A key that no longer belongs to the set by then stays as it is, and one that came to it
// later, too. What was done stays done where it stops half-way, and repeating is harmless.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands/key_change.hpp"
#include "store/key_store.hpp"

namespace latchkey::commands {

/// Exactly one of the two says something.
struct KeySet {
  std::optional<std::string> user_id;
  Selector selector;
};

/// The keys of a set that are not deleted, oldest first. Any thread; reads the store page by page.
Result<std::vector<KeyId>> keys_of(store::KeyStore& store, const KeySet& set, UnixMillis now);

/// Of these keys in this order, 32 hex digits; another set has another one.
std::string confirmation_of(std::span<const KeyId> keys);

struct ManyKeysAnswer {
  std::uint64_t matched = 0;  // keys of the set when it was found
  std::uint64_t changed = 0;  // the others were so already, or no longer in the set
  LogEnd commit;              // the last one's
};
/// Of an error: what was done before it.
using ManyKeysDone = std::move_only_function<void(Result<void>, ManyKeysAnswer)>;

/// Another command waits for one commit of such a run at most, and that takes about this long: a commit has as many keys
/// as the one before says, whatever the store's speed.
constexpr std::chrono::milliseconds commit_time{50};
constexpr std::size_t first_keys_a_commit = 100, least_keys_a_commit = 20;
/// Of the next commit, after one of `keys` took so long. At most twice as many, and max_keys_a_commit.
std::size_t keys_of_next_commit(std::size_t keys, Duration took);

/// `keys`: as keys_of() found them. `done` runs once, on the engine's thread.
void change_many(store::KeyStore& store, store::KeyAction action, const KeySet& set, std::vector<KeyId> keys,
                 const Author& author, ManyKeysDone done);

}  // namespace latchkey::commands
