#include "cli/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "cli/cli.hpp"

namespace latchkey::cli {

Result<void> flush_output() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  // A network file system says at close() what it could not store.
  if (flushed && ::close(::dup(STDOUT_FILENO)) == 0) return {};
  const int why = errno == 0 ? EIO : errno;
  return Error(ErrorCode::unavailable, std::strerror(why), why == EPIPE ? "" : std::strerror(why));
}

void write_secret_line(std::string_view secret, std::string_view what, std::string_view remedy) {
  const bool put =
      std::fwrite(secret.data(), 1, secret.size(), stdout) == secret.size() && std::fputc('\n', stdout) != EOF;
  const auto written = flush_output();
  if (put && written) return;
  throw std::runtime_error(fmt::format("{} could not be written to standard output ({}) and is stored nowhere; {}",
                                       what, written ? "failed" : written.error().detail, remedy));
}

int finish_output(int code) {
  const auto written = flush_output();
  if (written) return code;
  // A pipe that its reader closed, such as `| head`, is no error.
  if (!written.error().internal.empty()) {
    fmt::print(stderr, "latchkey: the output could not be written: {}\n", written.error().detail);
  }
  return code == exit_done ? int{exit_failed} : code;
}

}  // namespace latchkey::cli
