#pragma once

// Which of two relays of one PostgreSQL writes to the stream, where a standby was promoted and the old primary lives
// on.
//
// Each promotion gives the cluster a higher timeline under the same system identifier. So two histories of one system
// do not depend on which came first: the higher timeline is the successor, and the other side was to be stopped.
// Example: the stream is of timeline 1, and its relay still ticks; a relay on the promoted standby comes with timeline
// 2. It ends the life and begins its own; the old one writes no more, begins no life and vouches for nothing, and says
// so.
//
// `latchkey:{feed}:timelines` in Redis, a hash from system identifier to the highest timeline that a relay came with,
// outlives the lives of the stream: a relay of an older one stays out when the successor's relay is away. It is asked
// before each look, tick and begin. Between the question and the write the successor may come: a life that slips in so
// has no tick from then on, and is ended as one that nobody follows (relay/tail.hpp).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "relay/stream.hpp"

namespace latchkey::relay {

struct Lineage {
  std::string system;
  std::uint64_t timeline = 0;
};

/// What became of saying "this timeline is there".
struct Claim {
  std::uint64_t highest = 0;  // that was ever said, with this one
  bool succeeds = false;      // this one is higher than all before, of which there were some
};

/// A stream for one relay's thread, which stays out of it once its own store has been succeeded: then every call that
/// asks first is `unavailable` and says so.
class SucceedingStream final : public Stream {
 public:
  /// `lineage`: of the store as it is now; nullopt where it has none (SQLite). `claim`: in Redis, atomic.
  SucceedingStream(std::unique_ptr<Stream> stream, std::function<Result<std::optional<Lineage>>()> lineage,
                   std::function<Result<Claim>(const Lineage&)> claim)
      : stream_(std::move(stream)), lineage_(std::move(lineage)), claim_(std::move(claim)) {}

  Result<std::optional<Life>> look() override;
  Result<std::optional<Tick>> tick(const std::string& life, Epoch epoch) override;
  Result<AppendOutcome> append(const std::string& life, const LogEnd& after, std::span<const Change> changes,
                               std::optional<Tick> beat) override {
    return stream_->append(life, after, changes, beat);
  }
  Result<void> end(const std::string& life) override { return stream_->end(life); }
  Result<void> write_chunk(const Snapshot& snapshot, std::string_view rows) override {
    return stream_->write_chunk(snapshot, rows);
  }
  Result<void> write_seed(const Seed& seed, std::span<const Change> changes) override {
    return stream_->write_seed(seed, changes);
  }
  Result<void> discard(const Snapshot& snapshot, const Seed& seed) override { return stream_->discard(snapshot, seed); }
  Result<Published> begin(const Snapshot& snapshot, const Seed& seed) override;
  Result<Published> attach(const std::string& life, const Snapshot& snapshot) override {
    return stream_->attach(life, snapshot);
  }

 private:
  Result<void> come();

  const std::unique_ptr<Stream> stream_;
  const std::function<Result<std::optional<Lineage>>()> lineage_;
  const std::function<Result<Claim>(const Lineage&)> claim_;
  bool ending_ = false;    // the life that the predecessor left
  bool outlived_ = false;  // said
};

}  // namespace latchkey::relay
