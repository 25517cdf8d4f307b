#pragma once

#include <array>
#include <ctime>
#include <string_view>

namespace latchkey::http {

/// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" (RFC 9110 section 5.6.7), made at most once a second. One thread's own.
class DateLine {
 public:
  /// The line for now. Valid until the next call.
  std::string_view now();
  /// The line for that second since 1970.
  std::string_view at(std::time_t second);

 private:
  std::time_t second_ = -1;
  std::array<char, 40> text_{};
};

}  // namespace latchkey::http
