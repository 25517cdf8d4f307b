#pragma once

#include <charconv>
#include <concepts>
#include <cstring>
#include <string_view>

namespace latchkey {

/// Writes where room has been made: what is written at every request has many short parts, and a string would look for
/// room at each. Copies of literals are a few instructions.
class UncheckedWriter {
 public:
  explicit UncheckedWriter(char* at) : at_(at) {}
  /// Where it stands: behind what was put last.
  char* at() const { return at_; }

  UncheckedWriter& put(std::string_view text) {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());  // which takes no null
    at_ += text.size();
    return *this;
  }
  UncheckedWriter& put(char c) {
    *at_++ = c;
    return *this;
  }
  /// `most_digits` at most.
  UncheckedWriter& number(std::unsigned_integral auto number, int base = 10) {
    at_ = std::to_chars(at_, at_ + most_digits, number, base).ptr;
    return *this;
  }

  static constexpr std::size_t most_digits = 20;

 private:
  char* at_;
};

}  // namespace latchkey
