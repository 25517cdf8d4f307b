#include "propagation/simulated_access.hpp"

#include "feed/record.hpp"

namespace latchkey::simulation::propagation {

using feed::FeedError;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

FeedError unavailable(std::string why) { return {FeedError::Kind::unavailable, std::move(why)}; }

}  // namespace

Result<feed::StreamSight, FeedError> SimulatedAccess::read(Seq after, Seq known) {
  if (!line_.connect()) return unavailable("no connection");
  const BootTime stamp = place_.clock.boot();
  auto reply = line_.ask<std::optional<feed::StreamSight>>(
      [after, known](StreamServer& server) { return std::optional(server.read(after, known)); });
  if (!reply) return unavailable("no answer");
  if (!*reply) return unavailable("no life");
  feed::StreamSight& sight = **reply;
  sight.stamp = stamp;
  sight.connection = line_.generation();
  plant(sight, after, known);
  seen_ = sight.log.end;
  if (after < sight.base) return std::move(sight);
  Seq due = after;
  for (const Change& change : sight.changes) {
    if (change.seq != ++due) return FeedError{FeedError::Kind::reload, "a gap in the stream"};
  }
  return std::move(sight);
}

void SimulatedAccess::plant(feed::StreamSight& sight, Seq after, Seq known) {
  if (place_.bug == Bug::gap_ignored) close_gaps(sight, after);
  if (place_.bug == Bug::ticks_of_any_connection) sight.connection = 1;
  if (place_.bug == Bug::epoch_ignored && seen_.position.seq > Seq{})
    sight.log.end.position.epoch = seen_.position.epoch;
  if (place_.bug == Bug::fork_ignored && known == seen_.position.seq) sight.log.nonce_at_known = seen_.nonce;
}

/// As if nobody, the projector included, looked whether a seq follows the one before.
void SimulatedAccess::close_gaps(feed::StreamSight& sight, Seq after) const {
  sight.base = std::min(sight.base, after);
  std::vector<Change> dense;
  for (const Change& change : sight.changes) {
    while (after < change.seq) {
      dense.push_back(change);
      dense.back().seq = ++after;
    }
  }
  sight.changes = std::move(dense);
}

Result<feed::SnapshotName, FeedError> SimulatedAccess::snapshot() {
  const auto reply = line_.ask<std::optional<feed::SnapshotName>>(
      [](StreamServer& server) { return std::optional(server.snapshot()); });
  if (!reply) return unavailable("no answer");
  if (!*reply) return unavailable("no life");
  feed::SnapshotName found = **reply;
  if (place_.bug == Bug::epoch_ignored && seen_.position.seq > Seq{}) found.end.position.epoch = seen_.position.epoch;
  return found;
}

Result<void, FeedError> SimulatedAccess::load(const feed::SnapshotName& snapshot, feed::SnapshotSink& sink) {
  for (std::uint64_t number = 0; number < snapshot.chunks; ++number) {
    const auto chunk = line_.ask<std::optional<std::string>>(
        [name = snapshot.name, number](StreamServer& server) { return std::optional(server.chunk(name, number)); });
    if (!chunk || !*chunk) return unavailable("the snapshot was dropped while it was read");
    if (!feed::decode_rows(**chunk, sink)) return unavailable("the snapshot is broken");
  }
  return {};
}

std::shared_ptr<SimulatedAccess::Standing> SimulatedAccess::stand_by(std::uint64_t seen) {
  if (!nudge_line_.connect()) return nullptr;
  const auto standing = std::make_shared<Standing>();
  standing->due = place_.clock.boot() + seconds(2);
  const auto tell = [&network = place_.network, &cut = place_.cut, standing,
                     where = std::weak_ptr(nudge_line_.server())] {
    const auto server = where.lock();
    if (std::exchange(standing->answered, true) || cut || !server || !server->up()) return;
    network.send([&cut, standing] {
      if (cut) return;
      standing->told = true;
      if (standing->waiting != nullptr) standing->waiting->wake();
    });
  };
  if (place_.cut) return standing;
  place_.network.send([&world = place_.world, server = nudge_line_.server(), seen, tell] {
    server->when_nudged(seen, tell);
    world.after(seconds(1), tell);
  });
  return standing;
}

Result<feed::Nudge> SimulatedAccess::wait(const std::string& seen, milliseconds patience) {
  if (!standing_) standing_ = stand_by(std::stoull(seen));
  if (!standing_) return Error(ErrorCode::unavailable, "no answer");
  struct Waiting {
    std::shared_ptr<Standing> standing;
    ~Waiting() { standing->waiting = nullptr; }
  } const waiting{standing_};
  standing_->waiting = &place_.process;
  const BootTime end = place_.clock.boot() + patience;
  while (!standing_->told && place_.clock.boot() < end)
    place_.process.sleep(end - place_.clock.boot() + milliseconds(1));
  const bool told = standing_->told;
  const bool overdue = place_.clock.boot() >= standing_->due;
  if (!told && !overdue) return feed::Nudge::timeout;
  standing_.reset();
  if (told) return feed::Nudge::nudged;
  nudge_line_.drop();
  return Error(ErrorCode::unavailable, "no answer");
}

}  // namespace latchkey::simulation::propagation
