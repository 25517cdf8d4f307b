#include "cli/run_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

namespace latchkey::cli {
namespace {

Error cannot_lock(std::string_view what, const std::filesystem::path& file, int error) {
  return Error(ErrorCode::unavailable, fmt::format("cannot {} {}: {}", what, file.string(), std::strerror(error)));
}

}  // namespace

Result<RunLock> take_run_lock(const std::filesystem::path& file) {
  RunLock lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.get() < 0) return cannot_lock("open", file, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return cannot_lock("lock", file, errno);
  return Error(ErrorCode::conflict, fmt::format("{} is held by another process", file.string()));
}

bool is_run_locked(const std::filesystem::path& file) {
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  return opened.get() >= 0 && ::flock(opened.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace latchkey::cli
