#include "store/sqlite/group_commit.hpp"

#include "base/log.hpp"
#include "store/sqlite/queries.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/sqlite_transaction.hpp"

namespace latchkey::store {
namespace {

constexpr std::size_t max_group = 256;
constexpr int checkpoint_pages = 1000;  // 4 MB of WAL

int note_wal_length(void* pages, sqlite3*, const char*, int length) {
  *static_cast<int*>(pages) = length;
  return SQLITE_OK;
}

Result<Position> run_work(const KeyStore::Work& work, Database& database, UnixMillis now) {
  try {
    SqliteTransaction transaction(database, now);
    if (const auto worked = work(transaction); !worked) return worked.error();
    return position(database);
  } catch (const std::exception& broken) {
    return Error(ErrorCode::internal, "the command failed", broken.what());
  }
}

}  // namespace

GroupCommit::GroupCommit(Database database, Clock& clock) : database_(std::move(database)), clock_(clock) {
  // Instead of SQLite's own checkpoint inside COMMIT, which would make the callers wait for it.
  sqlite3_wal_hook(database_.handle(), note_wal_length, &wal_pages_);
  thread_ = std::thread([this] { run(); });
}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_one();
  thread_.join();
}

void GroupCommit::submit(KeyStore::Work work, KeyStore::Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < max_queued_works && !stopping_) {
      queue_.push_back({std::move(work), std::move(done)});
      ready_.notify_one();
      return;
    }
  }
  done(Error(ErrorCode::unavailable, "too many commands are waiting", "the store's queue is full"));
}

void GroupCommit::run() {
  for (;;) {
    auto group = take();
    if (group.empty()) return;
    commit(group);
    for (auto& job : group) job.done(std::move(job.outcome));
    checkpoint_if_long();
  }
}

std::vector<GroupCommit::Job> GroupCommit::take() {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  std::vector<Job> group;
  while (!queue_.empty() && group.size() < max_group) {
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

void GroupCommit::commit(std::vector<Job>& group) {
  const auto committed = attempt(group);
  if (committed) return;
  if (database_.in_transaction()) static_cast<void>(database_.execute("ROLLBACK"));
  log_error("commit of {} commands failed: {}", group.size(), committed.error().internal);
  for (auto& job : group) job.outcome = committed.error();
}

Result<void> GroupCommit::attempt(std::vector<Job>& group) {
  // IMMEDIATE: the write lock now, while waiting for it is still possible; a later upgrade would fail with BUSY.
  if (auto begun = database_.execute("BEGIN IMMEDIATE"); !begun) return begun;
  for (auto& job : group) {
    if (auto attempted = attempt(job); !attempted) return attempted;
  }
  return database_.execute("COMMIT");
}

// Fails only when the group as a whole can no longer be committed.
Result<void> GroupCommit::attempt(Job& job) {
  if (auto saved = database_.execute("SAVEPOINT work"); !saved) return saved;
  job.outcome = run_work(job.work, database_, clock_.wall());
  // A full disk or an I/O error makes SQLite roll the whole transaction back by itself.
  if (!database_.in_transaction()) {
    return job.outcome ? Error(ErrorCode::internal, "the database failed", "rolled back") : job.outcome.error();
  }
  return database_.execute(job.outcome ? "RELEASE work" : "ROLLBACK TO work; RELEASE work");
}

void GroupCommit::checkpoint_if_long() {
  if (wal_pages_ < checkpoint_pages) return;
  int remaining = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(database_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &remaining, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY) log_warning("checkpoint failed: {}", database_.error(code).internal);
  wal_pages_ = 0;
}

}  // namespace latchkey::store
