#pragma once

// The body of a request that was answered without it (Handler::reads_body). It is passed over to the octet, so that
// nothing in it is ever taken for a request; where that would take too long, the connection ends.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "http/chunked.hpp"
#include "http/head_parser.hpp"
#include "http/input_buffer.hpp"

namespace latchkey::http {

class UnreadBody {
 public:
  static constexpr std::size_t most_octets = 64 * 1024;  // that are waited for; of chunks, their content

  explicit UnreadBody(const Head& head);

  /// Whether it can be passed over and the connection go on: it is short enough, and nobody doubts where it ends. A
  /// client that asked for 100 Continue and got its answer instead may send the body or its next request, and what
  /// comes then looks the same; only of what lies in `received` octets already it is known that it is the body.
  bool can_be_passed(std::size_t received) const;

  enum class Status : std::uint8_t { need_more, passed, refused };
  /// Takes the body's octets off the front. Refused: it is malformed, or longer than it may be.
  Status pass(InputBuffer& input);

 private:
  std::uint64_t left_ = 0;  // of a body of known length
  std::optional<ChunkedDecoder> chunks_;
  bool may_be_held_back_ = false;
};

}  // namespace latchkey::http
