#pragma once

// The one writer: a thread that takes the works waiting at the moment and puts them into one transaction, each in a
// savepoint of its own. Durability costs one fsync a group, however many callers wait. A commit counts only when the
// path still names the file it went to. What it makes is announced to the witness first (store/sqlite/settle.hpp).

#include <deque>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/condition.hpp"
#include "store/key_store.hpp"
#include "store/sqlite/reader_pool.hpp"
#include "store/sqlite/store_file.hpp"

namespace latchkey::store {

class GroupCommit {
 public:
  /// `readers` outlive this, and follow `file` from one database to the next.
  GroupCommit(StoreFile file, ReaderPool& readers, Clock& clock);
  /// Finishes what is queued.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  /// Any thread. As KeyStore::transact().
  void submit(KeyStore::Work work, KeyStore::Done done);

 private:
  struct Job {
    KeyStore::Work work;
    KeyStore::Done done;
    Result<LogEnd> outcome = Error();
  };

  void run();
  /// At least one, or none after a while.
  std::vector<Job> take();
  void commit(std::vector<Job>& group);
  Result<void> attempt(std::vector<Job>& group);
  Result<void> attempt(Job& job);
  Result<void> write(std::vector<Job>& group);
  void look_at_files();
  void link();
  void link_edits();
  void follow_file();
  void begin_life();
  void checkpoint_if_long();
  void scrub_if_asked();

  StoreFile file_;  // the writer thread's
  ReaderPool& readers_;
  Clock& clock_;
  SystemRandom random_;   // of salts
  std::string unlinked_;  // the writer thread's: not empty while links fail
  int wal_pages_ = 0;     // the writer thread's
  Mutex mutex_;
  Condition ready_;
  std::deque<Job> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace latchkey::store
