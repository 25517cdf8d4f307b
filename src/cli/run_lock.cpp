#include "cli/run_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "base/regular_file.hpp"

namespace latchkey::cli {

Result<RunLock> take_run_lock(const std::filesystem::path& file) {
  auto lock = open_regular(file, O_RDWR | O_CREAT);
  if (!lock || ::flock(lock->get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) {
    return Error(ErrorCode::unavailable, fmt::format("cannot lock {}: {}", file.string(), std::strerror(errno)));
  }
  return Error(ErrorCode::conflict, fmt::format("{} is held by another process", file.string()));
}

bool is_run_locked(const std::filesystem::path& file) {
  const auto opened = open_regular(file, O_RDONLY);
  return opened && ::flock(opened->get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace latchkey::cli
