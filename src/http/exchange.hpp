#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "http/message.hpp"
#include "http/peer.hpp"

namespace latchkey::http {

/// A long answer sent in pieces (chunked in HTTP/1.1, until close in 1.0). Any thread may call.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Queues a piece. False: the peer is gone or reads so slowly that more than 1 MiB is waiting; the stream is closed.
  virtual bool write(std::string piece) = 0;
  /// Written and not yet handed to the peer's socket: a route that writes much can wait instead of being cut off.
  virtual std::size_t waiting_bytes() const = 0;
  /// Ends the answer. Writing after it does nothing.
  virtual void close() = 0;
  /// True once the peer is gone, the stream was closed, or the server is draining.
  virtual bool closed() const = 0;
};

/// An answer owed. Move-only; any thread may call, once. Dropped without an answer it becomes a 500.
class Later {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void answer(Response response) = 0;
    virtual std::shared_ptr<Stream> stream(Response head) = 0;
  };
  explicit Later(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  Later(Later&&) = default;
  Later& operator=(Later&&) = delete;
  ~Later();

  void answer(Response response) { std::exchange(sink_, nullptr)->answer(std::move(response)); }
  /// Sends `head` (its body is ignored) and leaves the rest to the stream.
  std::shared_ptr<Stream> stream(Response head) { return std::exchange(sink_, nullptr)->stream(std::move(head)); }

 private:
  std::shared_ptr<Sink> sink_;
};

/// One request and the duty to answer it: exactly one of answer() and defer(), before the handler returns.
/// Belongs to the I/O thread that calls the handler.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;
  virtual Request& request() = 0;
  /// The other end of the connection: a client, or a proxy that asks for one.
  virtual const Peer& peer() const = 0;
  /// Answers at once. Allocates nothing in the steady state.
  virtual void answer(const Answer& answer) = 0;
  /// Keeps the request's place in the connection; the request stays valid until answered.
  virtual Later defer() = 0;
  /// Which I/O thread this is: 0 .. threads-1.
  virtual unsigned thread_index() const = 0;

  void answer(const Response& response) { answer(response.view()); }
};

/// Called concurrently by every I/O thread. An exception that escapes becomes a 500 and a line in the operator's log.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void handle(Exchange& exchange) = 0;
  /// False: this request is handed over as soon as its head is there, with an empty body. What comes of one is passed
  /// over, or the connection ends after the answer. Asked of requests that have a body only, by any I/O thread.
  virtual bool reads_body(const Request& /*head*/) const { return true; }
  /// This thread is about to hand over these requests, of several connections, in this order: a chance to fetch from
  /// memory, of all at once, what they need. Their views are valid until it returns. Answers nothing.
  virtual void expect(std::span<const Request* const> /*soon*/) {}
};

}  // namespace latchkey::http
