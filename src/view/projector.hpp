#pragma once

// Follows a change feed and applies it to the view: the view's one writer.
//
//   load ──> catch up to the head ──> apply, advance, apply, advance, …
//    ^                                    │ reload, or a batch that breaks the feed's contract: reset the view at once
//    └────────────────────────────────────┘
//   unavailable: keep the view, let it age, try again after a pause that doubles up to a bound
//
// What the feed promises is checked again here (seq == last + 1 in one epoch, head of the last change): an engine that
// fails to notice a gap costs a reload, never a wrong view.

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/mutex.hpp"
#include "base/retry_backoff.hpp"
#include "base/wakeable_thread.hpp"
#include "feed/change_feed.hpp"
#include "view/position_waiters.hpp"
#include "view/view.hpp"

namespace latchkey::view {

struct ProjectorConfig {
  std::chrono::milliseconds patience{20};  // the longest sleep, so that deadlines of waiters are kept that closely
  std::chrono::milliseconds first_pause{50};
  std::chrono::milliseconds longest_pause{2000};
  std::size_t max_waiting = 4096;
  // On the projector's thread: after each load, when the view holds all that was committed and nobody is served from it
  // yet; and once the view shows the changes of a batch.
  std::function<void()> on_caught_up = [] {};
  std::function<void()> on_applied = [] {};
  // On the projector's thread, between batches of a view that has caught up: why it must be loaded anew, if so.
  std::function<std::optional<std::string>()> why_distrust = [] { return std::nullopt; };
};

struct ProjectorStats {
  std::uint64_t loads = 0;           // that succeeded
  std::uint64_t reloads = 0;         // times the view was distrusted, for whatever reason
  std::uint64_t broken_batches = 0;  // of these: noticed here and not by the feed
  std::uint64_t unavailable = 0;     // reads that failed
  std::uint64_t changes_applied = 0;
  std::string last_error;  // empty: none yet
};

/// Either start() and stop(), or step() by one thread: not both at once. All else: any thread.
class Projector {
 public:
  enum class Waiting : std::uint8_t { accepted, too_many, other_epoch };

  Projector(feed::ChangeFeed& feed, View& view, const Clock& clock, ProjectorConfig config = {});
  ~Projector();
  Projector(const Projector&) = delete;
  Projector& operator=(const Projector&) = delete;

  void start();
  /// Ends the thread and times out the requests that still wait. May be called twice.
  void stop();

  /// One load or one batch, then the waiters. Returns the pause that should follow, 0 for none.
  std::chrono::milliseconds step(std::chrono::milliseconds patience);

  /// Calls `done` once, on the projector's thread, when the view has reached `position` or `deadline` has passed
  /// (within about `patience`); at once, on this thread, when it is reached already. A position of another epoch is
  /// refused.
  [[nodiscard]] Waiting notify_when(Position position, BootTime deadline, const WaitingFor& caller,
                                    PositionWaiters::Done done);

  ProjectorStats stats() const;

 private:
  class Loading;

  std::chrono::milliseconds load();
  std::chrono::milliseconds follow(std::chrono::milliseconds patience);
  std::chrono::milliseconds apply(const feed::Batch& batch);
  std::chrono::milliseconds reload(std::string why);
  std::chrono::milliseconds retry_later(const feed::FeedError& error);
  void note_error(std::string why);
  void serve_waiters();
  void run();
  void sleep(std::chrono::milliseconds pause);

  feed::ChangeFeed& feed_;
  View& view_;
  const Clock& clock_;
  const ProjectorConfig config_;
  PositionWaiters waiters_;

  // The projecting thread's.
  bool loaded_ = false;
  bool has_loaded_ = false;  // ever
  bool waits_ = false;       // for what is not made yet
  bool said_that_it_waits_ = false;
  bool caught_up_ = false;  // since the last load
  Position at_;
  RetryBackoff failures_;

  mutable Mutex stats_mutex_;
  ProjectorStats stats_ GUARDED_BY(stats_mutex_);

  WakeableThread thread_;
};

}  // namespace latchkey::view
