#pragma once

// One connection's octets, in and out, whichever way the kernel carries them: it says what is ready and we act
// (epoll/), or we say what to do and it says what was done (uring/). http/connection.hpp does not see the difference;
// one suite of tests runs on both.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "http/socket.hpp"

namespace latchkey::http {

/// What a transport tells its connection, out of Poller::turn().
class TransportUser {
 public:
  /// Octets, or the end of them, have come. Told once: receive() says whether there is more.
  virtual void on_readable() = 0;
  /// Of what was sent, all has gone that waited (`done`), some waits (`later`), or the peer is gone (`ended`).
  virtual void on_sent(Socket::Status status) = 0;
  /// Poller::requeue() was called in the turn before.
  virtual void on_turn() = 0;

 protected:
  ~TransportUser() = default;
};

/// Its I/O thread's alone. Used for one client after the other.
class Transport {
 public:
  virtual ~Transport() = default;

  /// False: the kernel will not watch it.
  virtual bool open(Socket socket) = 0;
  /// What was sent and has not gone is dropped. The user hears nothing more of this client.
  virtual void close() = 0;

  struct Received {
    Socket::Status status = Socket::Status::done;
    std::size_t size = 0;
    bool more = false;  // there may be more: ask again, since on_readable() does not come for it
  };
  /// At least one octet when `done`.
  virtual Received receive(std::span<char> into) = 0;

  /// Takes all of `octets` and leaves it empty. `later`: some waits until the peer reads, and on_sent() tells of it;
  /// nothing more may be sent until then. `done` may turn out to be `later` when Poller::submit() or the turn hands the
  /// octets to the kernel.
  virtual Socket::Status send(std::string& octets) = 0;
  /// Hands what was sent to the kernel; `later`: some waits.
  virtual Socket::Status settle() = 0;
  /// No more is sent; what has been still arrives. False: the peer is gone.
  virtual bool finish_sending() = 0;
};

}  // namespace latchkey::http
