#include "replica/report_loop.hpp"

#include <utility>

#include "base/log.hpp"
#include "store/not_made.hpp"

namespace latchkey::replica {

ReportLoop::ReportLoop(ReplicaReporter& reporter, const view::View& view, view::ServingGate& gate, const Clock& clock,
                       Random& random, ReportLoopConfig config, SuccessorState* left)
    : reporter_(reporter),
      view_(view),
      gate_(gate),
      clock_(clock),
      random_(random),
      config_(std::move(config)),
      left_(left) {
  next_.id = ReplicaId::generate(random);
  next_.name = config_.name;
  next_.max_staleness = config_.max_staleness;
  next_.understands = newest_change_kind;
  next_.started_at = clock.wall();
  if (left_ != nullptr) inherited_ = left_->take();
  if (!inherited_) return;
  const bool of_use = inherited_->applied && inherited_->max_staleness == config_.max_staleness &&
                      inherited_->open_until >= clock.boot();
  if (of_use) {
    next_.id = inherited_->id;
    next_.number = inherited_->number;
  } else {
    take_leave_of(*std::exchange(inherited_, std::nullopt));
  }
}

ReportLoop::~ReportLoop() { stop(); }

// It has ended, or this process would not have the lock that it had.
void ReportLoop::take_leave_of(const Inheritance& left) {
  if (config_.lock.empty() || left.lock != config_.lock) return;
  ended_ = next_;
  ended_->id = left.id;
  ended_->number = left.number + 1;
  ended_->phase = Phase::stopped;
  ended_->applied = left.applied;
  ended_->max_staleness = left.max_staleness;
}

// Before the file forgets it. Where others carry reports on, until its number comes back.
void ReportLoop::end_predecessor() {
  if (!ended_) return;
  ended_->reported_at = clock_.wall();
  const auto known = reporter_.report(*ended_);
  const bool superseded = !known && known.error().code == ErrorCode::conflict;
  if (superseded || (known && *known >= ended_->number)) ended_.reset();
}

void ReportLoop::step() { report(Phase::running); }

void ReportLoop::report(Phase phase) {
  if (!is_at_home()) return;
  end_predecessor();
  const auto freshness = view_.freshness();
  const BootTime now = clock_.boot();
  ++next_.number;
  next_.phase = phase;
  next_.applied = freshness.complete ? std::optional(freshness.position) : std::nullopt;
  next_.applied_nonce = freshness.complete ? freshness.nonce : Nonce{};
  next_.view_age = freshness.complete
                       ? std::chrono::duration_cast<std::chrono::milliseconds>(now - freshness.current_as_of)
                       : std::chrono::milliseconds(0);
  next_.reported_at = clock_.wall();
  if (phase == Phase::running) leave();
  while (!sent_.empty() && now - sent_.front().begun > config_.max_staleness) sent_.pop_front();
  sent_.push_back({next_.number, now});
  const auto known = reporter_.report(next_);
  if (!known && known.error().code == ErrorCode::conflict) {
    return begin_anew(known.error().detail + " (" + known.error().internal + ")");
  }
  if (freshness.complete && inherited_) inherit();
  if (known) learn(*known, clock_.boot());
  note(known);
}

bool ReportLoop::is_at_home() {
  const bool at_home = config_.holds_directory();
  if (!at_home && !ousted_) begin_anew("another process has the data directory");
  if (at_home && ousted_) log_info("replica: the data directory is its own again");
  ousted_ = !at_home;
  return at_home;
}

// Nothing that this process was or knew of itself counts from here on: neither what it inherited, which is left to
// the other process that has it, nor what it reported.
void ReportLoop::begin_anew(std::string_view why) {
  log_warning("replica: {}: it refuses until it is registered as a new replica", why);
  inherited_.reset();
  sent_.clear();
  open_until_ = BootTime{-1};
  gate_.close();
  next_.id = ReplicaId::generate(random_);
  next_.number = 0;
  next_.started_at = clock_.wall();
}

// The first complete view decides, whichever it is.
void ReportLoop::inherit() {
  const Position& promised = *inherited_->applied;
  const bool holds = next_.applied->epoch == promised.epoch && next_.applied->seq >= promised.seq;
  if (holds && open_until_ < inherited_->open_until) {
    view_from_ = inherited_->view_from;
    open_until_ = inherited_->open_until;
    gate_.admit(view_from_, open_until_);
  }
  inherited_.reset();
}

// What is inherited and not used yet stays as it is, but for the number. Of a view that was emptied nothing is left to
// go on with.
void ReportLoop::leave() {
  if (left_ == nullptr) return;
  if (inherited_) {
    inherited_->number = next_.number;
    left_->leave(*inherited_);
  } else {
    left_->leave({next_.id, next_.number, next_.applied, config_.max_staleness, view_from_, open_until_, config_.lock});
  }
}

void ReportLoop::learn(std::uint64_t known, BootTime now) {
  std::optional<BootTime> begun;
  while (!sent_.empty() && sent_.front().number <= known) {
    begun = sent_.front().begun;
    sent_.pop_front();
  }
  if (!begun) return;
  if (now > open_until_) view_from_ = now;
  open_until_ = *begun + config_.max_staleness;
  gate_.admit(view_from_, open_until_);
}

// Once when it begins and once when it ends: what it means shows in /readyz.
void ReportLoop::note(const Result<std::uint64_t>& known) {
  const bool waits = !known && store::is_not_made(known.error()) && !has_reported_;
  const auto now = known ? Reporting::arrives : waits ? Reporting::waits : Reporting::fails;
  if (now == Reporting::waits && !std::exchange(has_waited_, true)) {
    log_info("replica: where it reports to is not made yet; it waits: {}", known.error().internal);
  }
  if (now == Reporting::fails && reporting_ != now) {
    log_warning("replica: cannot report, and refuses {} s after the last report that arrived: {} {}",
                std::chrono::duration_cast<std::chrono::seconds>(config_.max_staleness).count(), known.error().detail,
                known.error().internal);
  }
  if (known && reporting_ == Reporting::fails) log_info("replica: reports again");
  has_reported_ = has_reported_ || known.has_value();
  reporting_ = now;
}

void ReportLoop::start() {
  started_ = true;
  thread_.start([this] { run(); });
}

void ReportLoop::stop() {
  thread_.stop();
  if (!std::exchange(started_, false)) return;
  step();
  if (reporting_ != Reporting::arrives || ousted_) return;
  if (left_ != nullptr) left_->leave_nothing();
  report(Phase::stopped);
}

void ReportLoop::run() {
  do {
    step();
    std::this_thread::sleep_for(config_.least_gap);
  } while (thread_.sleep(config_.period - config_.least_gap));
}

}  // namespace latchkey::replica
