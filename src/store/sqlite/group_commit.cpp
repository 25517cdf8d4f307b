#include "store/sqlite/group_commit.hpp"

#include "base/log.hpp"
#include "store/sqlite/audit.hpp"
#include "store/sqlite/queries.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/sqlite_transaction.hpp"

namespace latchkey::store {
namespace {

constexpr std::size_t max_group = 256;
constexpr std::chrono::seconds look_interval{1};
constexpr int checkpoint_pages = 8000;  // 32 MB of WAL, half of what journal_size_limit keeps

int note_wal_length(void* pages, sqlite3*, const char*, int length) {
  *static_cast<int*>(pages) = length;
  return SQLITE_OK;
}

Result<LogEnd> run_work(const KeyStore::Work& work, Database& database, UnixMillis now) {
  try {
    SqliteTransaction transaction(database, now);
    if (const auto worked = work(transaction); !worked) return worked.error();
    return log_end(database);
  } catch (const std::exception& broken) {
    return Error(ErrorCode::internal, "the command failed", broken.what());
  }
}

}  // namespace

GroupCommit::GroupCommit(StoreFile file, ReaderPool& readers, Clock& clock)
    : file_(std::move(file)), readers_(readers), clock_(clock) {
  begin_life();
  thread_ = std::thread([this] { run(); });
}

GroupCommit::~GroupCommit() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_one();
  thread_.join();
  readers_.close();  // so that the writer is the last connection, which may write the -wal back
  file_.still_there() ? file_.close() : file_.abandon();
}

void GroupCommit::submit(KeyStore::Work work, KeyStore::Done done) {
  {
    const MutexLock lock(mutex_);
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
    if (group.empty()) {
      const MutexLock lock(mutex_);
      if (stopping_ && queue_.empty()) return;
    }
    if (group.empty()) {
      look_at_files();
      scrub_if_asked();
      continue;
    }
    commit(group);
    for (auto& job : group) job.done(std::move(job.outcome));
    checkpoint_if_long();
    scrub_if_asked();
  }
}

std::vector<GroupCommit::Job> GroupCommit::take() {
  const MutexLock lock(mutex_);
  const auto next_look = std::chrono::steady_clock::now() + look_interval;
  while (!stopping_ && queue_.empty() && ready_.wait_until(mutex_, next_look)) {
  }
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
  if (file_.is_open() && file_.database().in_transaction()) static_cast<void>(file_.database().execute("ROLLBACK"));
  log_error("commit of {} commands failed: {}", group.size(), committed.error().internal);
  for (auto& job : group) job.outcome = committed.error();
  // Before any caller hears of the failure: a caller that tries again finds the new file open.
  if (file_.must_follow()) follow_file();
}

// Nobody may be asking anything just when a backup is copied over the database.
void GroupCommit::look_at_files() {
  if (file_.must_follow()) {
    if (file_.is_open()) log_warning("the database file was replaced or written by another program");
    return follow_file();
  }
  if (!file_.still_there()) return;
  file_.note_files();
  link_edits();
}

// A trail that cannot be linked, for a row that somebody broke, say, keeps no command from being done: the next one tries
// again, and `latchkey store verify` tells how far it is.
void GroupCommit::link() {
  const auto linked = link_changes(file_.database(), random_);
  if (!linked && unlinked_.empty()) log_error("the audit trail is not linked on: {}", linked.error().internal);
  unlinked_ = linked ? "" : "said";
}

/// What was changed by hand, and nobody has sent a command since.
void GroupCommit::link_edits() {
  Database& database = file_.database();
  const auto some = has_unlinked(database);
  if (!some || !*some || !unlinked_.empty()) return;
  std::vector<Job> none;
  if (const auto linked = write(none); !linked && database.in_transaction()) {
    static_cast<void>(database.execute("ROLLBACK"));
  }
}

void GroupCommit::follow_file() {
  readers_.close();
  const auto followed = file_.follow();
  if (followed) return begin_life();
  log_error("the database file was replaced and cannot be opened: {}", followed.error().internal);
}

void GroupCommit::begin_life() {
  // Instead of SQLite's own checkpoint inside COMMIT, which would make the callers wait for it.
  sqlite3_wal_hook(file_.database().handle(), note_wal_length, &wal_pages_);
  wal_pages_ = 0;
  readers_.open(file_.identity());
}

Result<void> GroupCommit::attempt(std::vector<Job>& group) {
  if (auto there = file_.still_there(); !there) return there;
  if (auto written = write(group); !written) return written;
  // Only this look makes it an acknowledgement: the file may have been replaced while COMMIT waited for the disk.
  return file_.still_there();
}

Result<void> GroupCommit::write(std::vector<Job>& group) {
  Database& database = file_.database();
  // IMMEDIATE: the write lock now, while waiting for it is still possible; a later upgrade would fail with BUSY.
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
  if (auto writable = check_writable(database); !writable) return writable;
  const auto settled = file_.settle();
  if (!settled) return settled.error();
  const auto before = log_end(database);
  if (!before) return before.error();
  for (auto& job : group) {
    if (auto attempted = attempt(job); !attempted) return attempted;
  }
  const auto end = log_end(database);
  if (!end) return end.error();
  const bool changed = *end != *before;
  if (changed || group.empty()) link();
  if (changed) {
    if (auto announced = file_.announce(*end); !announced) return announced;
  }
  // So that a file that was moved away is not changed any more: it is no longer the database.
  if (auto there = file_.still_there(); !there) return there;
  if (auto committed = database.execute("COMMIT"); !committed) return committed;
  if (changed || *settled) file_.confirm(*end);
  return {};
}

// Fails only when the group as a whole can no longer be committed.
Result<void> GroupCommit::attempt(Job& job) {
  Database& database = file_.database();
  if (auto saved = database.execute("SAVEPOINT work"); !saved) return saved;
  job.outcome = run_work(job.work, database, clock_.wall());
  // A full disk or an I/O error makes SQLite roll the whole transaction back by itself.
  if (!database.in_transaction()) {
    return job.outcome ? Error(ErrorCode::internal, "the database failed", "rolled back") : job.outcome.error();
  }
  return database.execute(job.outcome ? "RELEASE work" : "ROLLBACK TO work; RELEASE work");
}

void GroupCommit::checkpoint_if_long() {
  // Not into a file that was emptied: what is left of it is for the operator.
  if (wal_pages_ < checkpoint_pages || !file_.still_there()) return;
  Database& database = file_.database();
  int remaining = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(database.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &remaining, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY) log_warning("checkpoint failed: {}", database.error(code).internal);
  file_.note_files();
  wal_pages_ = 0;
}

// After an erasure: what was rewritten stands in the write-ahead log until that is emptied, which a reader puts off.
void GroupCommit::scrub_if_asked() {
  if (!file_.is_open() || !file_.database().wants_scrub() || !file_.still_there()) return;
  Database& database = file_.database();
  const int code = sqlite3_wal_checkpoint_v2(database.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code == SQLITE_OK) database.scrubbed();
  if (code != SQLITE_OK && code != SQLITE_BUSY) log_warning("checkpoint failed: {}", database.error(code).internal);
  file_.note_files();
  wal_pages_ = 0;
}

}  // namespace latchkey::store
