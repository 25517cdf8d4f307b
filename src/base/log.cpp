#include "base/log.hpp"

#include <unistd.h>

#include <string>

#include "base/time_text.hpp"

namespace latchkey {

void log_line(LogLevel level, std::string_view text) {
  static constexpr std::string_view names[] = {"info", "warning", "error"};
  const std::string line =
      fmt::format("{} {} {}\n", to_rfc3339(SystemClock().wall()), names[static_cast<std::size_t>(level)], text);
  // One write a line, so that the lines of several threads do not mix. There is nowhere to report its failure.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace latchkey
