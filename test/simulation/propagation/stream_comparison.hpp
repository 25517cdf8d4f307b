#pragma once

// A real Redis with the relay's and the reader's scripts, and the StreamServer that the simulation has in its place:
// told the same by chance, and compared after each step in what they answer, in what they hold and in whom they nudge.

#include <random>
#include <set>
#include <string>
#include <vector>

#include "feed/redis/stream_reader.hpp"
#include "propagation/stream_server.hpp"
#include "redis/testing/test_server.hpp"
#include "relay/redis/redis_stream.hpp"

namespace latchkey::simulation::propagation {

class StreamComparison {
 public:
  /// Empties the server.
  StreamComparison(const redis::TestServer& server, std::uint64_t seed);
  /// Differences are test failures.
  void step();
  /// "append 0", … of everything that was answered.
  const std::set<std::string>& outcomes() const { return outcomes_; }

 private:
  // What may be said to both.
  bool act();
  void append();
  void tick();
  void end();
  void begin();
  void attach();
  void write_a_chunk();
  void discard();
  bool accident();
  bool flush();
  void lose_entry();
  void lose_chunk();

  relay::Snapshot write_snapshot(std::uint64_t seq, std::uint64_t of);
  void write_chunk(const relay::Snapshot& snapshot, std::uint64_t number);

  // By chance: mostly what fits, sometimes not.
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  std::uint64_t last() const { return model_.data().life ? model_.data().life->last.position.seq.value : 3; }
  std::uint64_t history() { return pick(8) == 0 ? 1 : 0; }
  std::uint64_t around(std::uint64_t seq) { return seq + 3 - std::min<std::uint64_t>(pick(7), seq + 3); }
  std::string a_life();
  const relay::Snapshot& a_snapshot();
  std::vector<Change> changes_after(std::uint64_t after, std::uint64_t count);

  void compare_what_stands();
  void compare_reads(std::uint64_t after, std::uint64_t known);
  void compare_parts(const relay::Snapshot& snapshot);
  void compare_seed(const relay::Seed& seed);
  template <class Value>
  void same(const std::string& what, const Value& at_redis, const Value& at_model) const;
  redis::Reply run(const redis::Command& command) { return server_->run(command).value(); }
  std::string newest_nudge();

  std::mt19937_64 random_;
  ManualClock clock_;
  StreamServer model_{StreamData(), 1, Bug::none};
  std::unique_ptr<redis::Connection> server_;
  relay::RedisStream stream_;
  redis::Link link_;
  feed::StreamReader reader_;
  std::vector<relay::Snapshot> snapshots_;  // oldest first
  std::vector<relay::Seed> seeds_;
  std::uint64_t lives_ = 0;
  std::set<std::string> outcomes_;
  std::string doing_;
};

}  // namespace latchkey::simulation::propagation
