#pragma once

// Rows of keys that were deleted long ago go. Their changes stay in the log, each with a last one, "purge".
//
// That is safe: a token of such a key is refused as that of any unknown key is. A view that holds the key holds it as
// deleted; one that loads anew does not know its id. Key ids are random and never given out again, and even a row made by
// hand with such an id would need the user and the very second of issue that the token names (key/issue.hpp). What
// could bring the key back is a backup from before its deletion, and that brings it back with or without the row here.

#include <functional>

#include "commands/key_change.hpp"

namespace latchkey::commands {

struct PurgeAnswer {
  std::uint64_t purged = 0;
  LogEnd commit;  // the last one's
};
/// Of an error: what was done before it.
using PurgeDone = std::move_only_function<void(Result<void>, PurgeAnswer)>;

/// A key must have been deleted for as long as repetitions of its creation are answered.
constexpr std::chrono::hours shortest_purge_age{24};

/// In commits of a bounded number of keys each, so that other commands go on in between. `done` runs once, on the
/// engine's thread.
void purge_keys(store::KeyStore& store, UnixMillis deleted_before, const Author& author, PurgeDone done);
/// How many keys that would be.
void count_purgeable(store::KeyStore& store, UnixMillis deleted_before,
                     std::move_only_function<void(Result<std::uint64_t>)> done);

}  // namespace latchkey::commands
