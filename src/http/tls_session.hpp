#pragma once

// One connection's TLS without its socket: what the peer sent goes in and comes out as plain text, and the reverse. So
// the connection reads and writes as it always does, once a batch each.

#include <memory>
#include <string>
#include <string_view>

#include "http/input_buffer.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace latchkey::http {

/// Its I/O thread's alone.
class TlsSession {
 public:
  explicit TlsSession(ssl_ctx_st& context);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  enum class Status : std::uint8_t {
    open,        // go on
    ended,       // the peer has said goodbye
    plain_http,  // it does not speak TLS but HTTP
    failed,      // seal() has the alert that tells why
  };
  /// Octets from the peer; appends to `plain` what they say. What the handshake answers is left for seal().
  Status receive(std::string_view octets, InputBuffer& plain);

  /// Whether the handshake is over.
  bool established() const;

  /// Turns an answer into what goes to the peer, and adds what the protocol itself has to say. Without a handshake an
  /// answer cannot be told and is dropped.
  void seal(std::string& text);
  /// Appends the goodbye, so that the peer can tell an end from a cut (RFC 8446, 6.1); once.
  void finish(std::string& sealed);

 private:
  void take_outgoing(std::string& into);

  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  std::unique_ptr<ssl_st, Free> ssl_;
};

}  // namespace latchkey::http
