#include "store/postgres/writer.hpp"

#include "base/log.hpp"
#include "store/postgres/audit.hpp"
#include "store/postgres/schema.hpp"

namespace latchkey::store::postgres {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t max_group = 60;  // savepoints that write: beyond 64 every snapshot on the server gets slower
constexpr std::chrono::seconds longest_wait{5};  // how long commands wait for a database that is away
// Of what is asked for no command's sake, while commands wait.
constexpr std::chrono::seconds beat_bound = Connection::connect_timeout + std::chrono::seconds(1);
constexpr std::chrono::milliseconds beat_interval{1000};
constexpr std::chrono::seconds inspection_interval{5};
constexpr int max_repeats = 10;

}  // namespace

Writer::Writer(Url url, std::unique_ptr<Connection> connection, Clock& clock)
    : url_(std::move(url)), clock_(clock), connection_(std::move(connection)) {
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_one();
  thread_.join();
}

void Writer::submit(KeyStore::Work work, KeyStore::Done done) {
  {
    const MutexLock lock(mutex_);
    if (queue_.size() < max_queued_works && !stopping_) {
      queue_.push_back({std::move(work), std::move(done), Error(), steady_clock::now() + bound});
      ready_.notify_one();
      return;
    }
  }
  done(Error(ErrorCode::unavailable, "too many commands are waiting", "the store's queue is full"));
}

void Writer::run() {
  for (;;) {
    auto jobs = take();
    refuse_late(jobs);
    if (!jobs.empty()) {
      commit(jobs);
      for (auto& job : jobs) job.done(std::move(job.outcome));
    }
    {
      const MutexLock lock(mutex_);
      if (stopping_ && queue_.empty()) return;
    }
    if (steady_clock::now() >= next_beat_) beat();
    if (steady_clock::now() >= next_inspection_) inspect();
  }
}

std::vector<Job> Writer::take() {
  const MutexLock lock(mutex_);
  while (!stopping_ && queue_.empty() && ready_.wait_until(mutex_, next_beat_)) {
  }
  std::vector<Job> jobs;
  while (!queue_.empty() && jobs.size() < max_group) {
    jobs.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return jobs;
}

/// What waited behind others until its time was up has not been begun, and is not.
void Writer::refuse_late(std::vector<Job>& jobs) {
  const auto now = steady_clock::now();
  std::erase_if(jobs, [now](Job& job) {
    if (now < job.deadline) return false;
    job.done(Error(ErrorCode::unavailable, "the database is not available", "the commands before took too long"));
    return true;
  });
}

void Writer::commit(std::vector<Job>& jobs) {
  Group group(jobs, known_, clock_);
  // Queued in this order, so that the first is due first.
  const auto committed = attempt(group, jobs.front().deadline);
  if (committed) return;
  log_error("commit of {} commands failed: {}", jobs.size(), committed.error().internal);
  for (auto& job : jobs) {
    // A work that was refused in a transaction of unknown fate stays refused either way.
    if (group.is_unknown() && !job.outcome) continue;
    job.outcome = group.is_unknown()
                      ? Error(ErrorCode::unavailable, "the command's outcome is not known: look before repeating it",
                              committed.error().internal)
                      : committed.error();
  }
}

Result<void> Writer::attempt(Group& group, Connection::Time deadline) {
  for (int repeats = 0;;) {
    if (auto connected = connect(deadline); !connected) {
      if (may_wait(deadline)) continue;
      return connected.error();
    }
    connection_->set_deadline(deadline);
    switch (group.attempt(*connection_)) {
      case Attempt::committed:
        attempt_.succeeded();
        return {};
      case Attempt::failed:
        return group.error();
      case Attempt::repeat:
      case Attempt::unknown:
        if (++repeats > max_repeats) return group.error();
    }
    // Whatever it was, the next attempt has a connection of its own. A lone deadlock costs it a few milliseconds.
    connection_.reset();
    attempt_.failed(steady_clock::now());
    if (!may_wait(deadline)) return group.error();
  }
}

Result<void> Writer::connect(Connection::Time deadline) {
  if (connection_) return {};
  if (deadline - steady_clock::now() < Connection::connect_timeout) {
    return Error(ErrorCode::unavailable, "the database is not available", "there is no time left to connect anew");
  }
  auto opened = Connection::open(url_, Server::primary, deadline);
  if (!opened) {
    attempt_.failed(steady_clock::now());
    return opened.error();
  }
  connection_ = std::move(*opened);
  return {};
}

// Waits for the next moment to try; false when the database has been away for too long, the commands are due before an
// attempt could end, or the store is being closed.
bool Writer::may_wait(Connection::Time deadline) {
  const MutexLock lock(mutex_);
  if (stopping_ || attempt_.next() - attempt_.down_since().value_or(attempt_.next()) > longest_wait) return false;
  if (attempt_.next() + Connection::connect_timeout > deadline) return false;
  while (!stopping_ && ready_.wait_until(mutex_, attempt_.next())) {
  }
  return true;
}

// What was changed by hand, and nobody has sent a command since.
void Writer::link_edits() {
  const auto some = has_unlinked(*connection_);
  if (some && *some) look();
}

// A group of no works: notes where the log ends, and notices a history that was put back while the connection was away.
void Writer::look() {
  std::vector<Job> none;
  Group group(none, known_, clock_);
  if (group.attempt(*connection_) == Attempt::committed) return;
  connection_.reset();
  attempt_.failed(steady_clock::now());
}

// What can befall the database under a connection that goes on: tables put back in place, a newer release, triggers
// that were disabled. A command finds out by itself; readers and the operator are not to wait for one. Without
// the lock on the log, which a hand edit may hold for long.
void Writer::inspect() {
  next_inspection_ = steady_clock::now() + inspection_interval;
  if (!connection_) return;
  connection_->set_deadline(steady_clock::now() + beat_bound);
  const auto ours = make_home(*connection_);
  const auto sleeping = ours ? sleeping_triggers(*connection_) : Result<std::string>(ours.error());
  if (connection_->is_lost()) return connection_.reset();
  say_once(refused_, ours ? "" : ours.error().internal, "commands are refused: {}");
  say_once(
      asleep_, sleeping ? *sleeping : asleep_,
      "triggers are disabled: {}. What is changed meanwhile is in no change, so that replicas learn of it late. Run "
      "SELECT enable_triggers()");
}

/// When `what` begins to be something, or becomes another thing.
void Writer::say_once(std::string& said, const std::string& what, fmt::format_string<const std::string&> text) {
  if (!what.empty() && what != said) log_warning(text, what);
  said = what;
}

// How a reader on a standby knows how current it is. It need not survive a crash, so nothing waits for the disk.
void Writer::beat() {
  next_beat_ = steady_clock::now() + beat_interval;
  const bool anew = !connection_ || !known_;
  if (!connection_ && !attempt_.may_try(steady_clock::now())) return;
  const auto deadline = steady_clock::now() + beat_bound;
  if (!connect(deadline)) return;
  connection_->set_deadline(deadline);
  if (anew) look();
  if (!connection_) return;
  const auto beaten = connection_->execute(
      "BEGIN; SET LOCAL synchronous_commit = off;"
      // A beat that lies ahead is from before the primary's clock was set back.
      "UPDATE heartbeat SET at = now_millis() WHERE at < now_millis() - 500 OR at > now_millis(); COMMIT");
  if (beaten) {
    attempt_.succeeded();
    return link_edits();
  }
  log_warning("no heartbeat: {}", beaten.error().internal);
  connection_.reset();
  attempt_.failed(steady_clock::now());
}

}  // namespace latchkey::store::postgres
