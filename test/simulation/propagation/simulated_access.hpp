#pragma once

#include "feed/redis/stream_access.hpp"
#include "propagation/line.hpp"

namespace latchkey::simulation::propagation {

/// A reader's.
class SimulatedAccess final : public feed::StreamAccess {
 public:
  explicit SimulatedAccess(Place place) : place_(place), line_(place), nudge_line_(place) {}

  Result<feed::StreamSight, feed::FeedError> read(Seq after, Seq known) override;
  Result<feed::SnapshotName, feed::FeedError> snapshot() override;
  Result<void, feed::FeedError> load(const feed::SnapshotName& snapshot, feed::SnapshotSink& sink) override;
  Result<feed::Nudge> wait(const std::string& seen, std::chrono::milliseconds patience) override;
  void wake() override {}

  /// The end of the log as it was read last.
  const LogEnd& seen() const { return seen_; }

 private:
  /// A read that stands at the server, across calls.
  struct Standing {
    bool answered = false;
    bool told = false;
    Process* waiting = nullptr;
    BootTime due;
  };

  std::shared_ptr<Standing> stand_by(std::uint64_t seen);
  void plant(feed::StreamSight& sight, Seq after, Seq known);
  void close_gaps(feed::StreamSight& sight, Seq after) const;

  Place place_;
  Line line_;
  Line nudge_line_;
  std::shared_ptr<Standing> standing_;
  LogEnd seen_;
};

}  // namespace latchkey::simulation::propagation
