#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace latchkey::http {

/// Octets received and not used yet, in one piece. Grows as needed; the reader bounds it.
class InputBuffer {
 public:
  static constexpr std::size_t usual_capacity = 8 * 1024;

  char* data() { return bytes_.data() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  /// Room to receive into. May move what is there.
  std::span<char> prepare() {
    if (empty()) begin_ = end_ = 0;
    if (end_ == 0 && bytes_.size() != usual_capacity) start_over();
    if (bytes_.size() - end_ < usual_capacity / 4) make_room();
    return {bytes_.data() + end_, bytes_.size() - end_};
  }
  void commit(std::size_t n) { end_ += n; }
  /// Takes `n` octets off the front. Moves nothing: views of them stay valid until prepare().
  void consume(std::size_t n) { begin_ += n; }
  /// Forgets everything, and gives back what a large request took.
  void clear() {
    begin_ = end_ = 0;
    if (bytes_.size() > usual_capacity) std::vector<char>().swap(bytes_);
  }
  /// Cuts the end, as a codec does that takes framing out.
  void resize(std::size_t size) { end_ = begin_ + size; }

  void append(std::string_view octets) {
    while (!octets.empty()) {
      const auto room = prepare();
      const std::size_t n = std::min(room.size(), octets.size());
      std::memcpy(room.data(), octets.data(), n);
      commit(n);
      octets.remove_prefix(n);
    }
  }

 private:
  void make_room() {
    if (begin_ > 0) {
      std::memmove(bytes_.data(), data(), size());
      end_ = size();
      begin_ = 0;
    }
    if (bytes_.size() - end_ < usual_capacity / 4) bytes_.resize(bytes_.size() * 2);
  }

  // The first use, or a large request has gone.
  void start_over() { bytes_ = std::vector<char>(usual_capacity); }

  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace latchkey::http
