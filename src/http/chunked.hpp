#pragma once

// The chunked coding (RFC 9112 section 7.1), decoded in place:
//
//   chunked-body = *( 1*8HEXDIG [ ext ] CRLF data CRLF ) 1*8"0" [ ext ] CRLF *( trailer-field CRLF ) CRLF
//
// Extensions and trailers are checked for shape and dropped.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/refusal.hpp"

namespace latchkey::http {

class ChunkedDecoder {
 public:
  enum class Status : std::uint8_t { need_more, done, refused };

  explicit ChunkedDecoder(std::size_t max_body) : max_body_(max_body) {}

  /// Decodes on. `data` is the body so far as this decoder left it: decoded() octets of content, then what has not
  /// been decoded yet. After need_more `size` may have shrunk (framing was taken out, the rest moved down); after
  /// done, consumed() octets belong to the body and the rest is untouched.
  Status decode(char* data, std::size_t& size);

  std::size_t decoded() const { return decoded_; }
  std::size_t consumed() const { return at_; }
  const Refusal& refusal() const { return refusal_; }

 private:
  enum class Step : std::uint8_t { size_line, data, data_end, trailer, end };

  bool take_step(char* data, std::size_t size);
  bool take_size_line(const char* data, std::size_t size);
  bool take_data(char* data, std::size_t size);
  bool take_data_end(const char* data, std::size_t size);
  bool take_trailer(const char* data, std::size_t size);
  std::optional<std::string_view> take_line(const char* data, std::size_t size, std::size_t longest,
                                            const Refusal& too_long);
  bool refuse(const Refusal& refusal);

  std::size_t max_body_;
  Step step_ = Step::size_line;
  std::size_t decoded_ = 0;     // octets of content at the front
  std::size_t at_ = 0;          // where the undecoded rest begins
  std::size_t chunk_left_ = 0;  // of the current chunk's data
  std::size_t trailer_size_ = 0;
  bool refused_ = false;
  Refusal refusal_;
};

}  // namespace latchkey::http
