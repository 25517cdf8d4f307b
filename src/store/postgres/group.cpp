#include "store/postgres/group.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/random.hpp"
#include "store/postgres/audit.hpp"
#include "store/postgres/postgres_transaction.hpp"

namespace latchkey::store::postgres {
namespace {

// READ COMMITTED whatever the server's default: what waited for the lock must see what was committed meanwhile.
constexpr std::string_view begin_statement = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

Result<void> run_work(const KeyStore::Work& work, Transaction& transaction) {
  try {
    return work(transaction);
  } catch (const std::exception& broken) {
    return Error(ErrorCode::internal, "the command failed", broken.what());
  }
}

bool same_nonce(const Row& row, int column, Nonce nonce) {
  return !row.is_null(column) && Nonce{static_cast<std::uint64_t>(row.integer(column))} == nonce;
}

}  // namespace

Attempt Group::attempt(Connection& connection) {
  const auto committed_before = begin(connection);
  if (!committed_before) return fail(connection, committed_before.error());
  if (*committed_before) return commit(connection, true);
  if (auto ran = run(connection); !ran) return fail(connection, ran.error());
  if (end_.position.seq != begin_.position.seq || jobs_.empty()) link(connection);
  return commit(connection, end_.position.seq != begin_.position.seq);
}

/// Whether the group was committed already.
Result<bool> Group::begin(Connection& connection) {
  static const std::string sql =
      fmt::format("SELECT {}, (SELECT nonce FROM changes WHERE seq = $1) FROM {}", life_columns, life_source);
  connection.defer(begin_statement);
  // A statement of its own: what was committed while it waited is not in its snapshot.
  connection.defer("SELECT FROM log_lock FOR UPDATE");
  const Seq known_seq = known_ ? known_->position.seq : Seq{};
  const auto rows = connection.query(sql, Parameters().add(static_cast<std::int64_t>(known_seq.value)));
  if (!rows) return rows.error();
  if (rows->count() != 1) {
    return Error(ErrorCode::internal, "the database is not whole", "log_lock or meta has not one row");
  }
  const Row life = (*rows)[0];
  if (auto writable = check_writable(life); !writable) return writable.error();
  begin_ = read_log_end(life, connection.system());
  if (in_doubt_) {
    auto committed = was_committed(connection);
    if (!committed || *committed) return committed;
    in_doubt_.reset();
  }
  if (auto noticed = notice_another_history(connection, life); !noticed) return noticed.error();
  if (!is_home(life, connection.system())) {
    if (auto made = make_home(connection); !made) return made.error();
  }
  end_ = begin_;
  return false;
}

// A backup of the whole cluster put back has the same epoch, and positions of the history that was lost would soon pass
// for its own.
Result<void> Group::notice_another_history(Connection& connection, const Row& row) {
  if (!known_ || known_->position.epoch != begin_.position.epoch || known_->position.seq == Seq{}) return {};
  if (same_nonce(row, life_column_count, known_->nonce)) return {};
  log_warning("the database's history is another than before; going on with it in a new epoch");
  if (auto renewed = connection.execute("UPDATE meta SET origin = random_nonce()"); !renewed) return renewed;
  const auto end = log_end(connection);
  if (!end) return end.error();
  begin_ = *end;
  return {};
}

Result<bool> Group::was_committed(Connection& connection) {
  const auto rows = connection.query("SELECT nonce FROM changes WHERE seq = $1",
                                     Parameters().add(static_cast<std::int64_t>(in_doubt_->position.seq.value)));
  if (!rows) return rows.error();
  return rows->count() == 1 && same_nonce((*rows)[0], 0, in_doubt_->nonce);
}

Result<void> Group::run(Connection& connection) {
  for (auto& job : jobs_) {
    if (auto ran = run(job, connection); !ran) return ran;
  }
  return {};
}

// A trail that cannot be linked, for a row that somebody broke, say, keeps no command from being done: the next one tries
// again, and `latchkey store verify` tells how far it is.
void Group::link(Connection& connection) {
  SystemRandom random;
  connection.defer("SAVEPOINT chain");
  const auto linked = link_changes(connection, random);
  if (linked) return connection.defer("RELEASE SAVEPOINT chain");
  if (connection.fault() == Fault::lost || connection.fault() == Fault::repeat) return;
  static_cast<void>(connection.execute("ROLLBACK TO SAVEPOINT chain; RELEASE SAVEPOINT chain"));
  log_error("the audit trail is not linked on: {}", linked.error().internal);
}

// Fails only when the group as a whole can no longer be committed.
Result<void> Group::run(Job& job, Connection& connection) {
  connection.defer("SAVEPOINT work");
  const LogEnd before = end_;
  PostgresTransaction transaction(connection, end_, clock_.wall());
  const auto worked = run_work(job.work, transaction);
  if (connection.fault() == Fault::lost || connection.fault() == Fault::repeat) {
    return worked ? Error(ErrorCode::unavailable, "the database is not available", "lost within a work")
                  : worked.error();
  }
  if (worked && !connection.in_failed_transaction()) {
    job.outcome = end_;
    connection.defer("RELEASE SAVEPOINT work");
    return {};
  }
  job.outcome =
      worked ? Error(ErrorCode::internal, "the command failed", "it went on after a failed statement") : worked.error();
  end_ = before;
  return connection.execute("ROLLBACK TO SAVEPOINT work; RELEASE SAVEPOINT work");
}

Attempt Group::commit(Connection& connection, bool changed) {
  const std::uint64_t warnings = connection.warnings();
  const LogEnd end = in_doubt_ ? *in_doubt_ : end_;
  const auto committed = connection.query("COMMIT");
  // A warning says that the commit did not wait for the standby it was to wait for.
  const bool warned = connection.warnings() != warnings;
  if (committed && !warned) {
    if (committed->tag() != "COMMIT")
      return fail(connection, Error(ErrorCode::internal, "the database failed", "rolled back"));
    known_ = end;
    in_doubt_.reset();
    return Attempt::committed;
  }
  if (!warned && connection.fault() != Fault::lost) return fail(connection, committed.error());
  error_ = committed ? Error(ErrorCode::unavailable, "", "COMMIT came with a warning") : committed.error();
  if (!changed) return Attempt::repeat;
  in_doubt_ = end;
  return Attempt::unknown;
}

Attempt Group::fail(Connection& connection, Error error) {
  const Fault fault = connection.fault();
  if (!connection.is_lost()) static_cast<void>(connection.execute("ROLLBACK"));
  error_ = std::move(error);
  if (in_doubt_) return Attempt::unknown;
  return fault == Fault::lost || fault == Fault::repeat ? Attempt::repeat : Attempt::failed;
}

}  // namespace latchkey::store::postgres
