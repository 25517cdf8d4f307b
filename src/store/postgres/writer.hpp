#pragma once

// The thread that commits: takes the works waiting at the moment and puts them into one transaction. The lock on the
// log lets only one transaction at a time append anyway, whatever the number of connections, so many works to a
// commit is what makes many commands a second.

#include <fmt/format.h>

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/condition.hpp"
#include "base/retry_backoff.hpp"
#include "store/key_store.hpp"
#include "store/postgres/group.hpp"

namespace latchkey::store::postgres {

class Writer {
 public:
  /// The bound of one command, from submit() to its answer, whatever the server does: answers, refuses connections, or
  /// says nothing at all. A URL of several hosts adds Connection::connect_timeout for each further one.
  static constexpr std::chrono::seconds bound{10};

  /// `connection`: open, its tables made.
  Writer(Url url, std::unique_ptr<Connection> connection, Clock& clock);
  /// Finishes what is queued; without the database, at once and with an error.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Any thread. As KeyStore::transact().
  void submit(KeyStore::Work work, KeyStore::Done done);

 private:
  void run();
  std::vector<Job> take();
  static void refuse_late(std::vector<Job>& jobs);
  void commit(std::vector<Job>& jobs);
  Result<void> attempt(Group& group, Connection::Time deadline);
  Result<void> connect(Connection::Time deadline);
  bool may_wait(Connection::Time deadline);
  void link_edits();
  void look();
  void beat();
  void inspect();
  static void say_once(std::string& said, const std::string& what, fmt::format_string<const std::string&> text);

  const Url url_;
  Clock& clock_;
  // The writer thread's.
  std::unique_ptr<Connection> connection_;
  std::optional<LogEnd> known_;
  NextAttempt<std::chrono::steady_clock::time_point> attempt_;
  std::chrono::steady_clock::time_point next_beat_{};
  std::chrono::steady_clock::time_point next_inspection_{};
  std::string refused_;  // why commands are, as said last
  std::string asleep_;   // triggers, likewise

  Mutex mutex_;
  Condition ready_;
  std::deque<Job> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace latchkey::store::postgres
