#pragma once

// Just enough of HTTP/1.1 to count answers: a status line, headers, a body of Content-Length octets.

#include <cstdint>
#include <map>
#include <string>

namespace latchkey::bench {

/// Of one connection: what arrived and is not yet counted.
class Answers {
 public:
  static constexpr std::size_t read_size = 64 * 1024;

  /// Where to receive `read_size` octets.
  char* room() {
    if (text_.size() < end_ + read_size) text_.resize(end_ + read_size);
    return text_.data() + end_;
  }
  /// `n` octets have arrived; counts the answers that are whole now into `statuses`. Throws std::runtime_error for what
  /// is no answer of a kind that it understands.
  unsigned commit(std::size_t n, std::map<int, std::uint64_t>& statuses);

 private:
  std::string text_;
  std::size_t end_ = 0;
};

}  // namespace latchkey::bench
