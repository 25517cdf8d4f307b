#include "limit/local/reserver.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.hpp"

namespace latchkey::limit {
namespace {

constexpr std::size_t smallest_rewrite = 1'048'576;
constexpr Duration mark_every = std::chrono::minutes(1);  // so that little of the time is unknown after a power cut
constexpr auto pause_after_failure = std::chrono::milliseconds(50);
constexpr Verdict not_in_time{.outcome = Outcome::unavailable, .retry_after_seconds = 1};

}  // namespace

Reserver::Reserver(LedgerStorage& ledger, const Clock& clock, ReserverHost& host)
    : ledger_(ledger), clock_(clock), host_(host) {}

void Reserver::start() {
  thread_ = std::thread([this] { run(); });
}

Reserver::~Reserver() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  give_up(std::exchange(waiting_, {}));
  give_up(std::exchange(in_flight_, {}));
  if (const auto written = ledger_.replace(host_.describe(true)); !written) {
    log_warning("limits: {}; what was set aside ahead counts as used", written.error().detail);
  }
}

void Reserver::wait_for(const Charge& charge, Later done) {
  bool has_room = true;
  {
    const std::lock_guard guard(mutex_);
    has_room = waiting_.size() < most_waiting;
    if (has_room) waiting_.push_back({KeptCharge(charge), std::move(done), clock_.boot()});
  }
  if (!has_room) return done(not_in_time);
  wake();
}

void Reserver::wake() {
  if (work_.exchange(1) == 0) work_.notify_one();
}

void Reserver::run() {
  while (!stopping_) {
    work_.wait(0);
    while (!stopping_ && step()) {
    }
    if (broken_ && !stopping_) {
      std::this_thread::sleep_for(pause_after_failure);
      wake();
    }
  }
}

// What comes while a round is under way waits for the next one: its permits may not be in this one.
bool Reserver::step() {
  work_ = 0;
  {
    const std::lock_guard guard(mutex_);
    std::ranges::move(waiting_, std::back_inserter(in_flight_));
    waiting_.clear();
  }
  std::vector<LedgerSet> sets;
  host_.gather(sets);
  const bool has_news = !sets.empty() || broken_ || clock_.boot() - written_.load() >= mark_every;
  const bool written = !has_news || write(sets);
  if (written) host_.publish(sets);
  answer_in_flight();
  const std::lock_guard guard(mutex_);
  return written && (!waiting_.empty() || work_ != 0);
}

bool Reserver::write(const std::vector<LedgerSet>& sets) {
  const bool whole = broken_ || bytes_ > std::max(smallest_rewrite, 4 * bytes_at_rewrite_);
  std::string records = whole ? host_.describe(false) : std::string();
  for (const LedgerSet& set : sets) append_record(records, set);
  append_record(records, host_.mark());
  const auto written = whole ? ledger_.replace(records) : ledger_.append(records);
  if (!written) {
    if (!broken_.exchange(true)) {
      log_error("limits: {}: requests under long limits are refused with 503 until it can be written",
                written.error().detail);
    }
    return false;
  }
  broken_ = false;
  written_ = clock_.boot();
  bytes_ = whole ? records.size() : bytes_ + records.size();
  if (whole) bytes_at_rewrite_ = bytes_;
  return true;
}

void Reserver::answer_in_flight() {
  std::vector<Waiting> asked;
  {
    const std::lock_guard guard(mutex_);
    asked.swap(in_flight_);
  }
  for (Waiting& each : asked) {
    if (auto verdict = host_.decide_or_want(each.charge.view())) {
      each.done(*verdict);
    } else if (clock_.boot() - each.since >= patience) {
      each.done(not_in_time);
    } else {
      const std::lock_guard guard(mutex_);
      waiting_.push_back(std::move(each));
    }
  }
}

void Reserver::expire() {
  std::vector<Waiting> late;
  {
    const std::lock_guard guard(mutex_);
    late = take_if_expired(waiting_);
    std::ranges::move(take_if_expired(in_flight_), std::back_inserter(late));
  }
  give_up(std::move(late));
  if (clock_.boot() - written_.load() >= mark_every) wake();
}

std::vector<Reserver::Waiting> Reserver::take_if_expired(std::vector<Waiting>& from) {
  const BootTime now = clock_.boot();
  const auto late =
      std::stable_partition(from.begin(), from.end(), [&](const Waiting& each) { return now - each.since < patience; });
  std::vector<Waiting> taken(std::make_move_iterator(late), std::make_move_iterator(from.end()));
  from.erase(late, from.end());
  return taken;
}

void Reserver::give_up(std::vector<Waiting> waiting) {
  for (Waiting& each : waiting) each.done(not_in_time);
}

}  // namespace latchkey::limit
