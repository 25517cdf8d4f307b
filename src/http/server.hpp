#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "http/exchange.hpp"
#include "http/io_engine.hpp"
#include "http/tls_credentials.hpp"

namespace latchkey::http {

struct ServerConfig {
  /// Comma separated: "host:port", "[::1]:port" (numeric hosts and "localhost"; port 0: any free one), "unix:/path".
  std::string listen = "127.0.0.1:7070";
  std::shared_ptr<const TlsCredentials> tls{};  // of TCP; none: plain HTTP
  IoEngine io = IoEngine::automatic;
  unsigned threads = 1;  // each with its own event loop and SO_REUSEPORT listener
  std::size_t max_head_bytes = 16 * 1024;
  std::size_t max_body_bytes = 64 * 1024;
  unsigned max_connections = 10'000;  // over all threads; further ones are closed at accept
  unsigned max_handshakes = 512;      // of TLS, unfinished, over all threads; above, the oldest is ended
  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{75'000};
  std::chrono::milliseconds write_timeout{30'000};
};

struct ServerStats {
  std::uint64_t connections_open, connections_total, connections_refused, requests_total, malformed_total;
  std::uint64_t handshakes_ended;  // to make room
};

/// HTTP/1.1 and 1.0 over TCP, TLS and Unix sockets.
class Server {
 public:
  /// `handler` outlives the server.
  Server(ServerConfig config, Handler& handler);
  ~Server();

  /// Binds, listens and starts the threads. Fails with ErrorCode::unavailable when the address cannot be had.
  Result<void> start();
  /// The port it listens on, once started; of several the first, and 0 where there are Unix sockets only.
  std::uint16_t port() const;
  /// How this machine reaches it, once started, in the order of `listen`: "http://127.0.0.1:7070", "unix:/path".
  std::vector<std::string> urls() const;
  /// Stops accepting, lets requests in progress finish (Connection: close), closes idle connections, and after
  /// `deadline` whatever is left. Returns when all threads have ended. Any thread but the server's own; idempotent.
  void stop(std::chrono::milliseconds deadline = std::chrono::seconds(10));
  ServerStats stats() const;
  /// Whether every I/O thread has gone through its loop since this was last true; each does at least twice a second,
  /// whether there are requests or not. One caller, once started: a watchdog.
  bool progressed();
  /// How it moves octets, once started.
  ChosenEngine io() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey::http
