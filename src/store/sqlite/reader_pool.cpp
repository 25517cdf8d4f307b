#include "store/sqlite/reader_pool.hpp"

namespace latchkey::store {

void ReaderPool::open(const FileIdentity& file) {
  const MutexLock lock(mutex_);
  file_ = file;
}

void ReaderPool::close() {
  const MutexLock lock(mutex_);
  file_.reset();
  while (idle_.size() != open_) returned_.wait(mutex_);
  idle_.clear();
  open_ = 0;
}

Error ReaderPool::not_shown(const Result<Standing>& standing) {
  if (!standing) return standing.error();
  return Error(ErrorCode::unavailable, "the database was replaced or put back", "a new epoch begins first");
}

Result<void> ReaderPool::still_there() const {
  std::optional<FileIdentity> file;
  {
    const MutexLock lock(mutex_);
    file = file_;
  }
  if (!file) return Error(ErrorCode::unavailable, "the database was replaced and is not open yet", "not open");
  return file->still_at(path_);
}

Result<Database> ReaderPool::borrow() {
  if (auto there = still_there(); !there) return there.error();
  {
    const MutexLock lock(mutex_);
    while (file_ && idle_.empty() && open_ >= max_connections) returned_.wait(mutex_);
    if (!file_) return Error(ErrorCode::unavailable, "the database was replaced and is not open yet", "closing");
    if (!idle_.empty()) {
      Database reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
    ++open_;
  }
  auto reader = open_reader();
  if (!reader) {
    const MutexLock lock(mutex_);
    --open_;
    returned_.notify_all();
  }
  return reader;
}

Result<Database> ReaderPool::open_reader() const {
  auto reader = Database::open(path_, Access::read, store_busy_timeout_ms);
  if (!reader) return reader;
  // The last to close a database writes its -wal back, and a file that has just come in the place of ours may still
  // have the old one's -wal beside it. The writer, which sets that aside, closes last.
  sqlite3_db_config(reader->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // The first read makes SQLite open -wal and -shm; only then is it certain which files these are.
  if (auto version = reader->query_integer("PRAGMA user_version"); !version) return version.error();
  if (auto there = still_there(); !there) return there.error();
  return reader;
}

void ReaderPool::give_back(Database reader) {
  {
    const MutexLock lock(mutex_);
    idle_.push_back(std::move(reader));
  }
  returned_.notify_all();
}

}  // namespace latchkey::store
