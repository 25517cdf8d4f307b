#include "view/digest_check.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.hpp"

namespace latchkey::view {
namespace {

// Longer waits are cut up, so that an interval of days overflows nothing.
constexpr std::chrono::seconds longest_sleep{60};
constexpr unsigned most_reloads = 2;
constexpr unsigned most_parts_a_call = 64;  // of a recount, so that changes do not wait for it

}  // namespace

std::string_view to_string(Agreement agreement) {
  switch (agreement) {
    case Agreement::same:
      return "same";
    case Agreement::differs:
      return "differs";
    case Agreement::unknown:
      break;
  }
  return "unknown";
}

DigestCheck::DigestCheck(feed::DigestSource& source, const Clock& clock, DigestCheckConfig config)
    : source_(source), clock_(clock), config_(config) {}

DigestCheck::~DigestCheck() { stop(); }

void DigestCheck::start() {
  thread_.start([this] { run(); });
}

void DigestCheck::stop() {
  thread_.ask_to_stop();
  source_.stop();  // what it reads
  thread_.stop();
}

void DigestCheck::ask() {
  {
    const MutexLock lock(mutex_);
    asked_ = true;
    answer_.reset();  // as of before this load
    due_ = clock_.boot();
  }
  thread_.wake();
}

void DigestCheck::run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);  // of this thread: requests come first
  while (thread_.sleep(left())) {
    if (left() <= std::chrono::nanoseconds::zero()) read_once();
  }
}

/// Until the next question is due.
std::chrono::nanoseconds DigestCheck::left() const {
  const MutexLock lock(mutex_);
  if (!asked_) return longest_sleep;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - clock_.boot());
  return std::min<std::chrono::milliseconds>(left, longest_sleep);
}

void DigestCheck::read_once() {
  {
    const MutexLock lock(mutex_);
    due_ = clock_.boot() + config_.interval;
  }
  auto read = source_.read();
  say(read ? "" : read.error().why, trouble_, "view: the store's digest can be read again");
  if (read) say(read->warning, warning_, "view: changes are recorded again");
  const MutexLock lock(mutex_);
  if (read) {
    answer_ = std::move(*read);
    return;
  }
  ++stats_.unanswered;
  due_ = std::min(due_, clock_.boot() + config_.retry);
}

/// When it begins, when it becomes another, and when it is over.
void DigestCheck::say(const std::string& trouble, std::string& said, const char* over) {
  if (trouble == said) return;
  if (thread_.stopping()) return;
  if (trouble.empty()) {
    log_info("{}", over);
  } else {
    log_warning("view: cannot be compared with the store, or not be trusted to hear of its changes: {}", trouble);
  }
  said = trouble;
}

std::optional<std::string> DigestCheck::look_for_drift(View& view) {
  if (auto why = recount(view)) return why;
  return compare(view);
}

/// All parts once in an interval, evenly.
std::optional<std::string> DigestCheck::recount(View& view) {
  const BootTime now = clock_.boot();
  const Duration step = std::max<Duration>(config_.interval, std::chrono::seconds(1)) / View::slices();
  next_part_ = std::max(next_part_, now + -(most_parts_a_call * step));
  for (; next_part_ <= now; next_part_ = next_part_ + step) {
    if (view.recount().value_or(true)) continue;
    const MutexLock lock(mutex_);
    ++stats_.drifts;
    stats_.last = Agreement::differs;
    return fmt::format("the rows at {} add up to something else than was applied: this process' memory has changed",
                       view.freshness().position.to_string());
  }
  return std::nullopt;
}

std::optional<std::string> DigestCheck::compare(const View& view) {
  const MutexLock lock(mutex_);
  if (!answer_) return std::nullopt;
  const Freshness now = view.freshness();
  const bool to_come = now.position.epoch == answer_->at.position.epoch && now.position.seq < answer_->at.position.seq;
  if (!now.complete || to_come) return std::nullopt;
  const feed::StoreDigest store = *std::exchange(answer_, std::nullopt);
  if (const auto own = view.digest_at(store.at.position)) return settle(store, *own);
  ++stats_.missed;
  due_ = std::min(due_, clock_.boot() + config_.retry);
  return std::nullopt;
}

std::optional<std::string> DigestCheck::settle(const feed::StoreDigest& store, feed::RowsDigest own) {
  if (store.digest == own) {
    ++stats_.same;
    stats_.last = Agreement::same;
    stats_.last_same = clock_.boot();
    reloads_in_a_row_ = 0;
    return std::nullopt;
  }
  ++stats_.drifts;
  stats_.last = Agreement::differs;
  const std::string what = fmt::format("the rows at {} add up to {:016x} in the store and to {:016x} here",
                                       store.at.position.to_string(), store.digest, own);
  if (reloads_in_a_row_++ < most_reloads) return what;
  log_error("view: {}, and did after it was loaded anew: left as it is until the next comparison", what);
  reloads_in_a_row_ = 0;
  return std::nullopt;
}

DigestCheckStats DigestCheck::stats() const {
  const MutexLock lock(mutex_);
  return stats_;
}

}  // namespace latchkey::view
