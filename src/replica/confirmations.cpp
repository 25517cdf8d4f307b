#include "replica/confirmations.hpp"

#include <algorithm>

namespace latchkey::replica {
namespace {

using std::chrono::microseconds;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Of replicas that may decide: how old a view one of them may have decided by.
double oldest_view(const Result<RegistrySnapshot>& look) {
  double oldest = 0;
  if (!look) return oldest;
  for (const auto& sight : look->replicas) {
    if (sight.newest.phase == Phase::stopped || is_fenced_by_silence(sight, look->began)) continue;
    oldest = std::max(oldest, seconds(lag_of(sight, look->began)));
  }
  return oldest;
}

double running(const Result<RegistrySnapshot>& look) {
  if (!look) return 0;
  return static_cast<double>(std::count_if(look->replicas.begin(), look->replicas.end(), [&](const auto& sight) {
    return sight.newest.phase == Phase::running && !is_fenced_by_silence(sight, look->began);
  }));
}

}  // namespace

/// What one round has found out: the registry, and then the store where that decides.
struct Confirmations::Round {
  Result<RegistrySnapshot> look;
  LogSnapshot log;
};

Confirmations::Confirmations(ReplicaWatch& watch, StoreLog log, const Clock& clock, Metrics& metrics,
                             ConfirmationsConfig config)
    : watch_(watch), log_(std::move(log)), clock_(clock), config_(config) {
  add_metrics(metrics);
  static_cast<void>(watch_.look());  // what is written from now on counts as heard
  thread_ = std::thread([this] { run(); });
}

Confirmations::~Confirmations() { stop(); }

void Confirmations::add_metrics(Metrics& metrics) {
  constexpr std::array outcomes{"applied", "fenced", "pending", "unknown", "lost"};
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    outcomes_[i] =
        &metrics.add_counter("latchkey_confirmations_total",
                             "Changes that were waited for until enforced: applied by all, some fenced, or not "
                             "confirmed in time",
                             "outcome=\"" + std::string(outcomes[i]) + "\"");
  }
  seconds_ = &metrics.add_histogram("latchkey_confirmation_seconds", "From a commit until it was confirmed as enforced",
                                    {0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 60});
  metrics.add_gauge("latchkey_replicas", "Replicas that may be serving", [this] { return last_look_.running.load(); });
  metrics.add_gauge("latchkey_replicas_oldest_view_seconds", "Age of the oldest view that may be served from",
                    [this] { return last_look_.oldest_view.load(); });
}

Confirmations::Place& Confirmations::Place::operator=(Place&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(waiter_, other.waiter_);
  return *this;
}

Confirmations::Place::~Place() {
  if (owner_ == nullptr) return;
  const MutexLock lock(owner_->mutex_);
  --owner_->taken_by(waiter_);
}

std::optional<Confirmations::Place> Confirmations::reserve(Waiter waiter) {
  const MutexLock lock(mutex_);
  if (taken_[0] + taken_[1] >= config_.max_waiting) return std::nullopt;
  if (waiter == Waiter::holder && taken_by(waiter) >= config_.max_waiting / 4) return std::nullopt;
  ++taken_by(waiter);
  return Place(*this, waiter);
}

void Confirmations::confirm(Place place, LogEnd change, Duration bound, Done done) {
  const BootTime now = clock_.boot();
  Waiting waiting{std::move(place), {change, now}, now + bound, std::move(done)};
  {
    const MutexLock lock(mutex_);
    if (!stopping_) {
      fresh_.push_back(std::move(waiting));
      wake_.notify_all();
      return;
    }
  }
  answer(waiting, {});
}

void Confirmations::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Confirmations::run() {
  microseconds pause = config_.idle_pause;
  while (await_work(pause)) look_for_all();
  for (auto& waiting : waiting_) answer(waiting, {});
  waiting_.clear();
}

bool Confirmations::await_work(microseconds& pause) {
  const MutexLock lock(mutex_);
  const auto end = std::chrono::steady_clock::now() + (waiting_.empty() ? config_.idle_pause : pause);
  while (!stopping_ && fresh_.empty() && wake_.wait_until(mutex_, end)) {
  }
  pause = fresh_.empty() ? std::min(2 * pause, config_.longest_pause) : config_.first_pause;
  std::move(fresh_.begin(), fresh_.end(), std::back_inserter(waiting_));
  fresh_.clear();
  return !stopping_;
}

void Confirmations::look_for_all() {
  Round round{watch_.look(), LogSnapshot(log_)};
  last_look_.running = running(round.look);
  last_look_.oldest_view = oldest_view(round.look);
  std::erase_if(waiting_, [&](Waiting& waiting) { return settle(waiting, round); });
}

bool Confirmations::settle(Waiting& waiting, Round& round) {
  const auto settled = [](Enforcement e) { return e == Enforcement::confirmed || e == Enforcement::lost; };
  const bool due = clock_.boot() >= waiting.deadline;
  Confirmation found;
  found.enforcement = Enforcement::unknown;
  if (round.look) {
    // By positions alone, which cost no look at the store.
    found = confirmation_of(*round.look, waiting.commit, [](const auto&) { return History::of_the_store; });
    // A replica on another epoch may be the first to follow it: of a failover, after which the change is there or not.
    const bool ask = due || settled(found.enforcement) || found.count(Verdict::other_epoch) > 0;
    if (ask) found = confirmation_of(*round.look, round.log, waiting.commit);
  }
  if (!due && !settled(found.enforcement)) return false;
  answer(waiting, std::move(found));
  return true;
}

void Confirmations::answer(Waiting& waiting, Confirmation confirmation) {
  confirmation.waited = clock_.boot() - waiting.commit.by;
  const bool confirmed = confirmation.enforcement == Enforcement::confirmed;
  const bool fenced = confirmed && confirmation.count(Verdict::fenced) > 0;
  outcomes_[fenced ? 1 : confirmed ? 0 : 1 + static_cast<std::size_t>(confirmation.enforcement)]->add();
  if (confirmed) seconds_->observe(seconds(confirmation.waited));
  waiting.done(std::move(confirmation));
}

}  // namespace latchkey::replica
