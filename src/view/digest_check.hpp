#pragma once

// Whether the view's rows are the store's: after each load, and then at intervals, the digest of all rows at a position
// is compared with what the store's rows add up to.
//
//   this thread:        ask the source (seconds for a million rows) ──> an answer, as of a position
//   projector's thread: once the view has passed that position, compare with the digest it had there
//   projector's thread: meanwhile, a part at a time, recount the rows in memory: the digest is kept with each change,
//                       so it says what was applied and not what became of it
//
// What it finds are faults that no position shows: memory that flipped, a snapshot file that was wrong, rows that were
// changed past the triggers. A view that differs is distrusted at once and loaded anew; if it still differs then, once
// more, for what it was loaded from may have been a copy with the same fault. After that it is left alone until the
// next interval: a view is better than none, and the operator has been told.

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/wakeable_thread.hpp"
#include "feed/digest_source.hpp"
#include "view/view.hpp"

namespace latchkey::view {

struct DigestCheckConfig {
  std::chrono::milliseconds interval{15 * 60 * 1000};
  std::chrono::milliseconds retry{5000};  // after an answer that could not be had, or that came too late
};

enum class Agreement : std::uint8_t { unknown, same, differs };
std::string_view to_string(Agreement agreement);

struct DigestCheckStats {
  Agreement last = Agreement::unknown;
  std::uint64_t same = 0;
  std::uint64_t drifts = 0;
  std::uint64_t unanswered = 0;  // the store could not be read
  std::uint64_t missed = 0;      // the view had moved on too far
  BootTime last_same;            // meaningful with same > 0
};

class DigestCheck {
 public:
  /// All that is given by reference outlives it.
  DigestCheck(feed::DigestSource& source, const Clock& clock, DigestCheckConfig config = {});
  ~DigestCheck();
  DigestCheck(const DigestCheck&) = delete;
  DigestCheck& operator=(const DigestCheck&) = delete;

  void start();
  void stop();

  /// The view was loaded and is complete: check it now. Any thread.
  void ask();
  /// On the view's writer's thread, between batches. Why the view must be loaded anew; nullopt: there is no reason.
  std::optional<std::string> look_for_drift(View& view);

  /// One question, on the caller's thread: instead of start().
  void read_once();
  DigestCheckStats stats() const;

 private:
  void run();
  std::chrono::nanoseconds left() const;
  std::optional<std::string> recount(View& view);
  std::optional<std::string> compare(const View& view);
  std::optional<std::string> settle(const feed::StoreDigest& store, feed::RowsDigest own) REQUIRES(mutex_);
  void say(const std::string& trouble, std::string& said, const char* over);

  feed::DigestSource& source_;
  const Clock& clock_;
  const DigestCheckConfig config_;
  // The projector's.
  unsigned reloads_in_a_row_ = 0;
  BootTime next_part_{};  // of the recount

  mutable Mutex mutex_;
  std::optional<feed::StoreDigest> answer_ GUARDED_BY(mutex_);  // not compared yet
  DigestCheckStats stats_ GUARDED_BY(mutex_);
  BootTime due_ GUARDED_BY(mutex_){};      // of the next question
  bool asked_ GUARDED_BY(mutex_) = false;  // somebody has
  std::string trouble_;                    // as said last; of the thread that reads
  std::string warning_;                    // likewise
  WakeableThread thread_;
};

}  // namespace latchkey::view
