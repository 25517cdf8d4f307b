#include "view/projector.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.hpp"

namespace latchkey::view {
namespace {

using std::chrono::milliseconds;

// In a row. Fewer are no news: at the first start both services come up together, and the store is made meanwhile.
constexpr unsigned failures_worth_a_word = 4;

/// How the batch breaks the feed's contract; nullopt when it does not.
std::optional<std::string> breach_of(const feed::Batch& batch, Position after) {
  Seq last = after.seq;
  for (const Change& change : batch.changes) {
    if (change.seq != last + 1) return fmt::format("change {} follows {}", change.seq.value, last.value);
    last = change.seq;
  }
  if (batch.head != Position{after.epoch, last}) {
    return fmt::format("the batch after {} ends at {} but names {} as its head", after.to_string(), last.value,
                       batch.head.to_string());
  }
  return std::nullopt;
}

}  // namespace

/// Hands the rows of a snapshot on. A large one takes seconds, in which waiters' deadlines are still kept.
class Projector::Loading final : public feed::SnapshotSink {
 public:
  explicit Loading(Projector& projector) : projector_(projector) {}
  void access_key(const AccessKey& key) override {
    projector_.view_.apply(key);
    if (++rows_ % rows_between_looks == 0) projector_.serve_waiters();
  }
  void signing_key(const SigningKey& key, Version version) override { projector_.view_.apply(key, version); }
  void plan(const Plan& plan) override { projector_.view_.apply(plan); }
  void user(const User& user) override { projector_.view_.apply(user); }

 private:
  static constexpr std::size_t rows_between_looks = 4096;
  Projector& projector_;
  std::size_t rows_ = 0;
};

Projector::Projector(feed::ChangeFeed& feed, View& view, const Clock& clock, ProjectorConfig config)
    : feed_(feed),
      view_(view),
      clock_(clock),
      config_(std::move(config)),
      waiters_(config_.max_waiting),
      failures_(config_.first_pause, config_.longest_pause) {}

Projector::~Projector() { stop(); }

milliseconds Projector::step(milliseconds patience) {
  const milliseconds pause = loaded_ ? follow(patience) : load();
  serve_waiters();
  return pause;
}

milliseconds Projector::load() {
  view_.reset();
  Loading sink(*this);
  const auto position = feed_.load(sink);
  if (!position) return retry_later(position.error());
  loaded_ = has_loaded_ = true;
  caught_up_ = false;
  at_ = *position;
  view_.advance(at_, std::nullopt);
  const MutexLock lock(stats_mutex_);
  ++stats_.loads;
  return milliseconds::zero();
}

milliseconds Projector::follow(milliseconds patience) {
  if (auto why = caught_up_ ? config_.why_distrust() : std::nullopt) {
    feed_.distrust();
    return reload(std::move(*why));
  }
  const auto batch = feed_.next(at_, patience);
  if (batch) return apply(*batch);
  if (batch.error().kind == feed::FeedError::Kind::reload) return reload(batch.error().why);
  return retry_later(batch.error());
}

milliseconds Projector::apply(const feed::Batch& batch) {
  if (auto breach = breach_of(batch, at_)) {
    {
      const MutexLock lock(stats_mutex_);
      ++stats_.broken_batches;
    }
    return reload(std::move(*breach));
  }
  for (const Change& change : batch.changes) view_.apply(change);
  at_ = batch.head;
  // A moment in the future would lend the view an age it does not have.
  if (batch.more) {
    view_.advance(at_, std::nullopt, batch.head_nonce);
  } else {
    if (!std::exchange(caught_up_, true)) config_.on_caught_up();
    view_.advance(at_, std::min(batch.current_as_of, clock_.boot()), batch.head_nonce);
    failures_.succeeded();
  }
  if (!batch.changes.empty()) config_.on_applied();
  const MutexLock lock(stats_mutex_);
  stats_.changes_applied += batch.changes.size();
  return milliseconds::zero();
}

milliseconds Projector::reload(std::string why) {
  view_.reset();
  loaded_ = false;
  log_warning("view: reloading: {}", why);
  note_error(std::move(why));
  {
    const MutexLock lock(stats_mutex_);
    ++stats_.reloads;
  }
  // The first at once; a feed that cannot get past its own load must not spin.
  const auto pause = failures_.failed();
  return failures_.in_a_row() == 1 ? milliseconds::zero() : pause;
}

milliseconds Projector::retry_later(const feed::FeedError& error) {
  const bool nothing_yet = error.kind == feed::FeedError::Kind::not_made && !has_loaded_;
  if (std::exchange(waits_, nothing_yet) && !nothing_yet) failures_.succeeded();  // it is being made
  const auto pause = nothing_yet ? failures_.failed_below(failures_worth_a_word) : failures_.failed();
  if (nothing_yet) {
    if (!std::exchange(said_that_it_waits_, true))
      log_info("view: what it follows is not made yet; it waits: {}", error.why);
  } else if (failures_.in_a_row() == failures_worth_a_word) {
    log_warning("view: feed unavailable: {}", error.why);
  }
  note_error(error.why);
  const MutexLock lock(stats_mutex_);
  ++stats_.unavailable;
  return pause;
}

void Projector::note_error(std::string why) {
  const MutexLock lock(stats_mutex_);
  stats_.last_error = std::move(why);
}

ProjectorStats Projector::stats() const {
  const MutexLock lock(stats_mutex_);
  return stats_;
}

Projector::Waiting Projector::notify_when(Position position, BootTime deadline, const WaitingFor& caller,
                                          PositionWaiters::Done done) {
  const auto known = outcome_of_wait(position, view_.freshness());
  if (known == Awaited::other_epoch) return Waiting::other_epoch;
  if (known == Awaited::reached) {
    done(Awaited::reached);
    return Waiting::accepted;
  }
  return waiters_.add(position, deadline, caller, std::move(done)) ? Waiting::accepted : Waiting::too_many;
}

void Projector::serve_waiters() { waiters_.serve(view_.freshness(), clock_.boot()); }

void Projector::start() {
  thread_.start([this] { run(); });
}

void Projector::stop() {
  thread_.ask_to_stop();
  feed_.wake();
  thread_.stop();
  waiters_.time_out_all();
}

void Projector::run() {
  while (!thread_.stopping()) sleep(step(config_.patience));
}

// In slices of `patience`, so that waiters' deadlines are kept while the feed is down.
void Projector::sleep(milliseconds pause) {
  while (pause > milliseconds::zero() && thread_.sleep(std::min(pause, config_.patience))) {
    serve_waiters();
    pause -= config_.patience;
  }
}

}  // namespace latchkey::view
