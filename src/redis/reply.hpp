#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

namespace latchkey::redis {

/// One RESP2 reply, as a value.
struct Reply {
  enum class Kind : std::uint8_t { nil, status, error, integer, string, array };

  Kind kind = Kind::nil;
  std::int64_t integer = 0;     // integer
  std::string text;             // status ("OK"), error ("ERR …") and string: any bytes
  std::vector<Reply> elements;  // array

  bool is_nil() const { return kind == Kind::nil; }
  bool is_error() const { return kind == Kind::error; }
  bool is_string() const { return kind == Kind::string; }
  bool is_integer() const { return kind == Kind::integer; }
  bool is_array() const { return kind == Kind::array; }
  bool operator==(const Reply&) const = default;
};

/// The number that a string reply is, all of it; false, and nothing is known of `number`, for anything else.
template <class Number>
bool read_number(const Reply& reply, Number& number, int base = 10) {
  const std::string& text = reply.text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return reply.is_string() && !text.empty() && error == std::errc() && end == text.data() + text.size();
}

}  // namespace latchkey::redis
