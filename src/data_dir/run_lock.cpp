#include "data_dir/run_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.hpp"
#include "base/regular_file.hpp"

namespace latchkey::data_dir {
namespace {

Result<RunLock> lock(const std::filesystem::path& file, int kind) {
  auto lock = open_regular(file, O_RDWR | O_CREAT);
  if (!lock || ::flock(lock->get(), kind | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) {
    return Error(ErrorCode::unavailable, fmt::format("cannot lock {}: {}", file.string(), std::strerror(errno)));
  }
  return Error(ErrorCode::conflict, fmt::format("{} is held by another process", file.string()));
}

}  // namespace

Result<RunLock> take_run_lock(const std::filesystem::path& file) { return lock(file, LOCK_EX); }

Result<RunLock> share_run_lock(const std::filesystem::path& file) { return lock(file, LOCK_SH); }

bool hold_run_lock(RunLock& lock, const std::filesystem::path& file) {
  struct stat held {};
  struct stat there {};
  const bool same = ::fstat(lock.get(), &held) == 0 && ::stat(file.c_str(), &there) == 0 &&
                    held.st_dev == there.st_dev && held.st_ino == there.st_ino;
  if (same) return true;
  auto taken = take_run_lock(file);
  if (!taken) return false;
  log_warning("{} was removed or replaced; this process has taken the new one", file.string());
  lock = std::move(*taken);
  return true;
}

bool is_run_locked(const std::filesystem::path& file) {
  const auto opened = open_regular(file, O_RDONLY);
  return opened && ::flock(opened->get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace latchkey::data_dir
