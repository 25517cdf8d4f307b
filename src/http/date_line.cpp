#include "http/date_line.hpp"

#include <fmt/format.h>

namespace latchkey::http {
namespace {

constexpr std::size_t line_length = 37;
constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::string_view DateLine::now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return at(time.tv_sec);
}

std::string_view DateLine::at(std::time_t second) {
  if (second != second_) {
    second_ = second;
    std::tm tm{};
    ::gmtime_r(&second, &tm);
    fmt::format_to_n(text_.data(), text_.size(), "Date: {}, {:02} {} {:04} {:02}:{:02}:{:02} GMT\r\n",
                     days[static_cast<std::size_t>(tm.tm_wday)], tm.tm_mday,
                     months[static_cast<std::size_t>(tm.tm_mon)], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
  }
  return {text_.data(), line_length};
}

}  // namespace latchkey::http
