#include "store/sqlite/wal_write_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "base/regular_file.hpp"

namespace latchkey::store {
namespace {

constexpr off_t write_lock_byte = 120;  // WAL_WRITE_LOCK of SQLite's unix VFS (walformat.html, 2.3)
constexpr int tries = 1000;
constexpr std::chrono::milliseconds between_tries{1};

bool still_at(const std::filesystem::path& path, int file) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

}  // namespace

std::optional<WalWriteLock> WalWriteLock::take(const std::filesystem::path& index) {
  auto file = open_regular(index, O_RDWR);
  if (!file) return std::nullopt;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = write_lock_byte;
  lock.l_len = 1;
  for (int i = 0; ::fcntl(file->get(), F_OFD_SETLK, &lock) != 0; ++i) {
    if (i == tries) return std::nullopt;
    std::this_thread::sleep_for(between_tries);
  }
  if (!still_at(index, file->get())) return std::nullopt;
  return WalWriteLock(std::move(*file));
}

}  // namespace latchkey::store
