#pragma once

// Octets in, requests out (RFC 9112). What parses the head behind it may be replaced.
//
//   codec.parse(data, size)  until it says `request` or `refused`;
//   use codec.head(); drop codec.consumed() octets; codec.reset();  and again for what follows.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "http/chunked.hpp"
#include "http/head_parser.hpp"

namespace latchkey::http {

struct CodecLimits {
  std::size_t max_head_bytes = 16 * 1024;  // request line and headers with the empty line
  std::size_t max_body_bytes = 64 * 1024;  // decoded
  std::size_t max_headers = 64;
};

/// One request at a time. How the octets were cut into pieces makes no difference to what comes out.
class Codec {
 public:
  enum class Status : std::uint8_t {
    need_head,  // more octets are needed
    need_body,  // the head is whole and sound; more octets are needed
    request,    // head().request is whole and views `data`
    refused,    // refusal() says why; the connection cannot go on
  };

  using ReadsBody = std::function<bool(const Request& head)>;

  /// `reads_body`: asked once of each request with a body; false: it is a `request` without it. Empty: all are read.
  explicit Codec(const CodecLimits& limits, ReadsBody reads_body = {})
      : limits_(limits), reads_body_(std::move(reads_body)) {}

  /// Goes on parsing. `data` begins where the request begins and holds what the last call left plus what has arrived
  /// since; it may lie elsewhere than last time. A chunked body is decoded in place and `size` may shrink.
  Status parse(char* data, std::size_t& size);

  const Head& head() const { return head_; }
  Head& head() { return head_; }
  const Refusal& refusal() const { return refusal_; }
  /// The request has a body that was not asked for. It begins where the head ends: the connection passes it over before
  /// it goes on.
  bool body_unread() const { return body_unread_; }
  /// How many octets at the front of `data` made the request. Valid after `request`.
  std::size_t consumed() const { return consumed_; }
  void reset();

 private:
  Status refuse(const Refusal& refusal);
  bool find_head_end(const char* data, std::size_t size);
  Status parse_front(const char* data, std::size_t size);
  Status take_head(const char* data, std::size_t size);
  Status take_body(char* data, std::size_t& size);
  Status take_chunked(char* data, std::size_t& size);
  Status finish(const char* data, std::size_t body_size, std::size_t consumed);

  CodecLimits limits_;
  ReadsBody reads_body_;
  Head head_;
  std::optional<ChunkedDecoder> chunks_;
  Refusal refusal_;
  const char* parsed_at_ = nullptr;  // where `data` was when head_'s views were made
  std::size_t start_ = 0;            // past an empty line before the request line
  std::size_t scanned_ = 0;          // no end of the head before this
  std::size_t head_end_ = 0;         // 0: not found yet
  std::size_t consumed_ = 0;
  bool folded_ = false;  // a line began with white space
  bool head_done_ = false;
  bool body_unread_ = false;
};

}  // namespace latchkey::http
