#include "propagation/simulated_stream.hpp"

namespace latchkey::simulation::propagation {
namespace {

Error no_answer() { return Error(ErrorCode::unavailable, "no answer"); }

}  // namespace

template <class Reply>
Result<Reply> SimulatedStream::ask(std::function<Reply(StreamServer&)> serve) {
  auto reply =
      line_.ask<Reply>([serve = std::move(serve)](StreamServer& server) { return std::optional(serve(server)); });
  if (!reply) return no_answer();
  return std::move(*reply);
}

Result<void> SimulatedStream::tell(std::function<void(StreamServer&)> serve) {
  const auto reply = ask<bool>([serve = std::move(serve)](StreamServer& server) {
    serve(server);
    return true;
  });
  if (!reply) return reply.error();
  return {};
}

Result<std::optional<relay::Life>> SimulatedStream::look() {
  return ask<std::optional<relay::Life>>([](StreamServer& server) { return server.look(); });
}

Result<std::optional<relay::Tick>> SimulatedStream::tick(const std::string& life, Epoch epoch) {
  auto tick = ask<std::optional<relay::Tick>>([=](StreamServer& server) { return server.tick(life, epoch); });
  if (tick && *tick) (*tick)->connection = line_.generation();
  return tick;
}

Result<relay::AppendOutcome> SimulatedStream::append(const std::string& life, const LogEnd& after,
                                                     std::span<const Change> changes, std::optional<relay::Tick> beat) {
  if (!line_.connect()) return no_answer();
  const bool same_connection = beat && beat->connection == line_.generation();
  const bool beats = same_connection || (beat && bug_ == Bug::heartbeat_over_any_connection);
  std::vector<Change> all(changes.begin(), changes.end());
  // The last one stays: the next append would find another nonce there.
  if (bug_ == Bug::changes_out_of_order && all.size() > 2) std::swap(all[0], all[1]);
  return ask<relay::AppendOutcome>([life, after, all = std::move(all),
                                    number = beats ? std::optional(beat->number) : std::nullopt](StreamServer& server) {
    return server.append(life, after, all, number);
  });
}

Result<void> SimulatedStream::end(const std::string& life) {
  return tell([life](StreamServer& server) { server.end(life); });
}

Result<void> SimulatedStream::write_chunk(const relay::Snapshot& snapshot, std::string_view rows) {
  return tell([snapshot, all = std::string(rows)](StreamServer& server) { server.write_chunk(snapshot, all); });
}

Result<void> SimulatedStream::write_seed(const relay::Seed& seed, std::span<const Change> changes) {
  return tell([seed, all = std::vector(changes.begin(), changes.end())](StreamServer& server) {
    server.write_seed(seed, all);
  });
}

Result<void> SimulatedStream::discard(const relay::Snapshot& snapshot, const relay::Seed& seed) {
  return tell([snapshot, seed](StreamServer& server) { server.discard(snapshot, seed); });
}

Result<relay::Published> SimulatedStream::begin(const relay::Snapshot& snapshot, const relay::Seed& seed) {
  return ask<relay::Published>([snapshot, seed](StreamServer& server) { return server.begin(snapshot, seed); });
}

Result<relay::Published> SimulatedStream::attach(const std::string& life, const relay::Snapshot& snapshot) {
  return ask<relay::Published>([life, snapshot](StreamServer& server) { return server.attach(life, snapshot); });
}

}  // namespace latchkey::simulation::propagation
