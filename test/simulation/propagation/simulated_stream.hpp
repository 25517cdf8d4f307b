#pragma once

#include "propagation/line.hpp"
#include "relay/stream.hpp"

namespace latchkey::simulation::propagation {

/// A relay's.
class SimulatedStream final : public relay::Stream {
 public:
  explicit SimulatedStream(Place place) : line_(place), bug_(place.bug) {}

  Result<std::optional<relay::Life>> look() override;
  Result<std::optional<relay::Tick>> tick(const std::string& life, Epoch epoch) override;
  Result<relay::AppendOutcome> append(const std::string& life, const LogEnd& after, std::span<const Change> changes,
                                      std::optional<relay::Tick> beat) override;
  Result<void> end(const std::string& life) override;
  Result<void> write_chunk(const relay::Snapshot& snapshot, std::string_view rows) override;
  Result<void> write_seed(const relay::Seed& seed, std::span<const Change> changes) override;
  Result<void> discard(const relay::Snapshot& snapshot, const relay::Seed& seed) override;
  Result<relay::Published> begin(const relay::Snapshot& snapshot, const relay::Seed& seed) override;
  Result<relay::Published> attach(const std::string& life, const relay::Snapshot& snapshot) override;

 private:
  template <class Reply>
  Result<Reply> ask(std::function<Reply(StreamServer&)> serve);
  Result<void> tell(std::function<void(StreamServer&)> serve);

  Line line_;
  const Bug bug_;
};

}  // namespace latchkey::simulation::propagation
