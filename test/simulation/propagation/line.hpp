#pragma once

// How a process reaches the stream: over connections that break, to a server that may no longer be the one.

#include <memory>
#include <optional>

#include "process.hpp"
#include "propagation/bug.hpp"
#include "propagation/stream_server.hpp"

namespace latchkey::simulation::propagation {

constexpr Duration answer_timeout = std::chrono::milliseconds(300);

/// The address of the stream: one server, or for a while after a failover two.
struct StreamService {
  std::shared_ptr<StreamServer> current;
  std::shared_ptr<StreamServer> former;  // an old primary that does not know it yet; may be null
};

/// How one process stands in the world.
struct Place {
  World& world;
  Network& network;
  Process& process;
  const Clock& clock;
  StreamService& service;
  const bool& cut;  // its machine is cut off from the stream
  Bug bug;
};

/// One connection, opened when it is needed.
class Line {
 public:
  explicit Line(Place place) : place_(place) {}

  template <class Reply>
  std::optional<Reply> ask(std::function<std::optional<Reply>(StreamServer&)> serve) {
    if (!connect()) return std::nullopt;
    auto reply = exchange<Reply>(std::move(serve));
    if (!reply) server_.reset();
    return reply;
  }
  bool connect() {
    if (server_ && server_->up()) return true;
    const bool to_former = place_.service.former && place_.service.former->up() && place_.world.chance(0.5);
    server_ = to_former ? place_.service.former : place_.service.current;
    if (!exchange<bool>([](StreamServer&) { return std::optional(true); })) server_.reset();
    if (server_) ++generation_;
    return server_ != nullptr;
  }
  void drop() { server_.reset(); }
  const std::shared_ptr<StreamServer>& server() const { return server_; }
  std::uint64_t generation() const { return generation_; }

 private:
  template <class Reply>
  std::optional<Reply> exchange(std::function<std::optional<Reply>(StreamServer&)> serve) {
    return place_.process.ask<Reply>(
        place_.network, answer_timeout, [&cut = place_.cut] { return cut; },
        [server = server_, serve = std::move(serve)]() -> std::optional<Reply> {
          return server->up() ? serve(*server) : std::nullopt;
        });
  }

  Place place_;
  std::shared_ptr<StreamServer> server_;
  std::uint64_t generation_ = 0;
};

}  // namespace latchkey::simulation::propagation
