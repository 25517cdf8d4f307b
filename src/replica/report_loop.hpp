#pragma once

// A replica's reports, and what may be served for them: its half of replica/replica_registry.hpp.
//
//   report 1 ──known──> the gate opens, for views current from then on, until max_staleness after report 1 was begun
//   report n ──known──> … until max_staleness after report n was begun; if the gate had closed meanwhile, again for
//                       views current from then on only
//   inherited ──view holds what was reported──> the gate as the predecessor had it (replica/successor_state.hpp),
//   unless
//                       the registry knows a later report: then what was inherited came from an older copy
//   left, but of no use to go on with ──> the replica before is said to have stopped, where it had the same lock
//   another reports as this replica, or the data directory is no longer its own ──> the gate closes at once, and
//                       what reports next is a new replica

#include <chrono>
#include <deque>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/wakeable_thread.hpp"
#include "replica/replica_reporter.hpp"
#include "replica/successor_state.hpp"
#include "view/serving_gate.hpp"
#include "view/view.hpp"

namespace latchkey::replica {

struct ReportLoopConfig {
  std::string name;
  std::chrono::milliseconds max_staleness{30'000};
  std::chrono::milliseconds period{100};
  std::chrono::milliseconds least_gap{1};  // however often it is nudged
  /// Whether the data directory is still this process's: its lock is that of the file at its path. Asked before each
  /// report, on the reporting thread.
  std::function<bool()> holds_directory = [] { return true; };
  /// Names the file of the lock that this process holds: a process that left a report under it has ended. Empty: none.
  std::string lock = {};
};

/// Either start() and stop(), or step() by one thread. nudge(): any thread.
class ReportLoop {
 public:
  /// `left`: where this replica leaves what its successor may go on with, and finds what its predecessor left; null:
  /// neither. All that is given by reference outlives it.
  ReportLoop(ReplicaReporter& reporter, const view::View& view, view::ServingGate& gate, const Clock& clock,
             Random& random, ReportLoopConfig config, SuccessorState* left = nullptr);
  ~ReportLoop();
  ReportLoop(const ReportLoop&) = delete;
  ReportLoop& operator=(const ReportLoop&) = delete;

  void start();
  /// The view has moved: report soon.
  void nudge() { thread_.wake(); }
  /// Ends the thread and reports that this replica has stopped, unless nobody can be told: then its successor may go
  /// on as this one. It must not answer requests any more.
  void stop();

  /// One report.
  void step();

  const ReplicaId& id() const { return next_.id; }

 private:
  struct Sent {
    std::uint64_t number;
    BootTime begun;
  };

  void run();
  void report(Phase phase);
  void inherit();
  void take_leave_of(const Inheritance& left);
  void end_predecessor();
  bool is_at_home();
  void begin_anew(std::string_view why);
  void leave();
  void learn(std::uint64_t known, BootTime now);
  void note(const Result<std::uint64_t>& known);

  ReplicaReporter& reporter_;
  const view::View& view_;
  view::ServingGate& gate_;
  const Clock& clock_;
  Random& random_;
  const ReportLoopConfig config_;
  SuccessorState* const left_;

  // The reporting thread's.
  ReplicaReport next_;
  std::deque<Sent> sent_;                 // not known to have arrived, and worth something if it has
  BootTime view_from_;                    // as the gate has it
  BootTime open_until_{-1};               // likewise
  std::optional<Inheritance> inherited_;  // until the view shows whether it may be used
  std::optional<ReplicaReport> ended_;    // the last report of the replica before, until it has arrived
  enum class Reporting : std::uint8_t { arrives, waits, fails } reporting_ = Reporting::arrives;
  bool has_reported_ = false;  // ever
  bool has_waited_ = false;    // for what is not made yet, and that was said
  bool ousted_ = false;        // the data directory is another's

  bool started_ = false;
  WakeableThread thread_;
};

}  // namespace latchkey::replica
