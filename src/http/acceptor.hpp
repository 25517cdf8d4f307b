#pragma once

#include <cstdint>
#include <functional>

#include "http/peer.hpp"
#include "http/poller.hpp"
#include "http/socket.hpp"
#include "http/unix_listener.hpp"

namespace latchkey::http {

/// Takes in the clients of one listening socket, for an I/O thread. Its thread's alone.
class Acceptor final : public Watcher {
 public:
  using Take = std::function<void(Socket, const Peer&)>;

  /// `poller` outlives it. `file`: of a Unix socket, removed with it.
  Acceptor(Poller& poller, Socket listener, SocketFile file, Take take);

  /// Begins, or begins again after a failure (out of descriptors or memory), which a sweep tries.
  void start(CoarseTime now);
  /// Takes those that the kernel has already let in, which would see a reset, and listens no more.
  void finish();
  void on_ready() override;

 private:
  bool accept_one();
  void tell_of_failure(int why);

  Poller& poller_;
  Socket listener_;
  SocketFile file_;
  const Take take_;
  const bool unix_socket_;
  bool accepting_ = false;
  std::uint64_t failures_ = 0;  // since it was last said
  CoarseTime now_ = 0;          // of the last start()
  CoarseTime next_told_ = 0;    // when it may be said again
};

}  // namespace latchkey::http
