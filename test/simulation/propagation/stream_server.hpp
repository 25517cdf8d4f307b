#pragma once

// A Redis with the stream in it: the rules of feed/redis/layout.hpp as relay/redis/scripts.cpp has them, on a machine
// that can lose its memory or a part of it; and, on request, with a bug planted.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "feed/redis/stream_access.hpp"
#include "propagation/bug.hpp"
#include "relay/stream.hpp"

namespace latchkey::simulation::propagation {

/// What is in memory: a value, so that a dump is a copy.
struct StreamData {
  using Parts = std::map<std::uint64_t, std::string>;
  using Log = std::map<Seq, Change>;

  struct Life {
    std::string id;
    LogEnd base, last;
    bool base_nonce_known = false;
    std::uint64_t tick = 0, beat_tick = 0;
    Seq beat_seq = {};
    relay::Snapshot snapshot, previous;
  };
  std::optional<Life> life;
  Log log;
  std::map<std::string, Parts> snapshots;  // by name
  std::map<std::string, Log> seeds;        // by life
};

/// One server process.
class StreamServer {
 public:
  StreamServer(StreamData data, std::uint64_t first_nudge, Bug bug)
      : bug_(bug), data_(std::move(data)), nudge_(first_nudge) {}

  // --- the relay's scripts
  std::optional<relay::Life> look() const;
  std::optional<relay::Tick> tick(const std::string& life, Epoch epoch);
  relay::AppendOutcome append(const std::string& life, const LogEnd& after, std::span<const Change> changes,
                              std::optional<std::uint64_t> beat);
  void end(const std::string& life);
  void write_chunk(const relay::Snapshot& snapshot, std::string_view rows);
  void write_seed(const relay::Seed& seed, std::span<const Change> changes);
  void discard(const relay::Snapshot& snapshot, const relay::Seed& seed);
  relay::Published begin(const relay::Snapshot& snapshot, const relay::Seed& seed);
  relay::Published attach(const std::string& life, const relay::Snapshot& snapshot);

  // --- the reader's
  /// nullopt: there is no life.
  std::optional<feed::StreamSight> read(Seq after, Seq known) const;
  std::optional<feed::SnapshotName> snapshot() const;
  std::optional<std::string> chunk(const std::string& snapshot, std::uint64_t number) const;
  /// Calls `told` at once when there is a newer nudge than `seen`, otherwise at the next.
  void when_nudged(std::uint64_t seen, std::function<void()> told);

  // --- accidents
  void flush();
  void lose_entry(std::uint64_t choice);
  void lose_chunk(std::uint64_t choice);
  const StreamData& data() const { return data_; }
  std::uint64_t newest_nudge() const { return nudge_; }
  void stop() { up_ = false; }
  bool up() const { return up_; }

 private:
  bool log_whole() const { return data_.log.size() == data_.life->last.position.seq - data_.life->base.position.seq; }
  bool whole(const relay::Snapshot& snapshot) const;
  std::optional<Nonce> nonce_at(Seq seq) const;
  std::uint64_t duplicates_of(const LogEnd& after, std::span<const Change> changes) const;
  bool forks(const LogEnd& after, std::span<const Change> changes) const;
  void trim_behind(const relay::Snapshot& snapshot);
  relay::AppendOutcome append_blindly(std::span<const Change> changes, std::optional<std::uint64_t> beat);
  void nudge();

  const Bug bug_;
  StreamData data_;
  std::uint64_t nudge_;
  bool up_ = true;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace latchkey::simulation::propagation
