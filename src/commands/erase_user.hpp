#pragma once

// A person is forgotten: a random pseudonym takes the place of the user id in all rows and in the log, names, metadata
// and labels go, and all keys of the user are deleted.
//
// In two commits. The first deletes; once every replica enforces that, the second takes the user's row away and
// rewrites the log, which only this procedure may (the triggers of `changes` see to it, and let it change nothing but
// what names the person). Between the two a replica must have read the change that names the user: it would keep the
// user's row else. Where it stops half-way, the same command goes on.

#include <functional>

#include "base/random.hpp"
#include "commands/key_change.hpp"

namespace latchkey::commands {

struct RowsErased {
  store::ErasedRows rows;
  LogEnd commit;
};
struct HistoryErased {
  std::uint64_t changes = 0;  // rewritten
  LogEnd commit;
};

/// "erased-" and 32 hex digits.
store::Erasure erasure_of(std::string user_id, Random& random, const Author& author);

/// Both run `done` once, on the engine's thread.
void erase_rows(store::KeyStore& store, const store::Erasure& erasure,
                std::move_only_function<void(Result<RowsErased>)> done);
/// ErrorCode::not_found where neither row nor change named the user.
void erase_history(store::KeyStore& store, const store::Erasure& erasure, const store::ErasedRows& rows,
                   std::move_only_function<void(Result<HistoryErased>)> done);

}  // namespace latchkey::commands
