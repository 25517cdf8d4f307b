#pragma once

// Which epoch the database that is found may go on with. Whatever a replica, a stream or a client has seen of an epoch
// must stay true of it, so before anything is answered the log is held against the witness (store/sqlite/witness.hpp).

#include "base/random.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/witness.hpp"

namespace latchkey::store {

/// In a write transaction, before anything else: begins a new epoch unless the log has all that was shown of its own.
/// `files`: as of this transaction. ErrorCode::conflict: the store moved elsewhere. True: it has begun one; it is valid
/// once the transaction is committed.
enum class Settle { where_needed, always };
Result<bool> settle(Database& database, Witness& witness, const FileState& files, Random& random, Settle when);

/// In that transaction, before COMMIT: the log is about to end at `next`.
Result<void> announce(Witness& witness, const LogEnd& next, const FileState& files);
/// After COMMIT. ErrorCode::unavailable: it was not written down; what was announced holds as well.
Result<void> confirm(Witness& witness, const LogEnd& end, const FileState& files);

/// Whenever the files changed without a change of ours: a checkpoint.
Result<void> note_files(Witness& witness, const FileState& files);

enum class Standing {
  shown,      // what this transaction reads may be handed out
  unsettled,  // the log has lost something that was shown: somebody must settle() first
  moved_on,   // the log grew meanwhile; ask again in a new transaction
};
/// In a read transaction that began after `before` was read. A change that nobody has seen yet, made by hand, is
/// written down before the reader may show it.
Result<Standing> stand(Database& database, Witness& witness, const Testimony& before);

}  // namespace latchkey::store
