#pragma once

// One group of works in one transaction, and what became of it.
//
//   BEGIN, lock the log  →  each work in a savepoint  →  COMMIT
//
// The lock, on the row of log_lock, is what every writer takes first, hand edits included, so a group sees all that was
// committed before it and nothing changes under it.

#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "store/key_store.hpp"
#include "store/postgres/connection.hpp"
#include "store/postgres/life.hpp"

namespace latchkey::store::postgres {

struct Job {
  KeyStore::Work work;
  KeyStore::Done done;
  Result<LogEnd> outcome = Error();
  Connection::Time deadline{};  // by which it is answered
};

/// What came of one attempt at a group.
enum class Attempt {
  committed,
  repeat,   // nothing was committed; it may be run again, on a new connection if this one is lost
  failed,   // nothing was committed, nor will be: Group::error()
  unknown,  // the answer to COMMIT did not come; Group::settle() finds out on another connection
};

/// One thread.
class Group {
 public:
  /// `known`: the log's end as this store saw it last; moves on. `clock` and `jobs` outlive this.
  Group(std::vector<Job>& jobs, std::optional<LogEnd>& known, Clock& clock)
      : jobs_(jobs), known_(known), clock_(clock) {}

  /// After Attempt::unknown too: then it first looks whether the group's last change is in the log. It holds the lock
  /// while it looks, so the lost transaction has ended: either its change is there, and the commit of this transaction
  /// vouches that it is there for good, or it never will be, and the works are run again.
  Attempt attempt(Connection& connection);

  bool is_unknown() const { return in_doubt_.has_value(); }
  const Error& error() const { return error_; }

 private:
  Result<bool> begin(Connection& connection);
  Result<void> notice_another_history(Connection& connection, const Row& row);
  Result<bool> was_committed(Connection& connection);
  Result<void> run(Connection& connection);
  Result<void> run(Job& job, Connection& connection);
  void link(Connection& connection);
  Attempt commit(Connection& connection, bool changed);
  Attempt fail(Connection& connection, Error error);

  std::vector<Job>& jobs_;
  std::optional<LogEnd>& known_;
  Clock& clock_;
  LogEnd begin_;                    // the log's end when the lock was taken
  LogEnd end_;                      // and after the works that succeeded
  std::optional<LogEnd> in_doubt_;  // the end that a lost commit would have made
  Error error_;
};

}  // namespace latchkey::store::postgres
