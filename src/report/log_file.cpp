#include "report/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

namespace latchkey::report {
namespace {

bool write_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const auto n = ::write(fd, octets.data(), octets.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

bool LogFile::append(std::string_view lines) {
  if (fd_ >= 0 && size_ > 0 && size_ + lines.size() > config_.max_bytes) rotate();
  if (fd_ < 0 && !open()) return false;
  if (write_all(fd_, lines)) {
    size_ += lines.size();
    return true;
  }
  const int why = errno;  // for the operator's log
  // Half a line must not stay. If even that fails, open() sees to it.
  [[maybe_unused]] const int cut = ::ftruncate(fd_, static_cast<off_t>(size_));
  close();
  errno = why;
  return false;
}

bool LogFile::open() {
  std::error_code ignored;  // open() below says whether there is a folder
  const auto folder = std::filesystem::path(config_.path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  fd_ = ::open(config_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) return false;
  struct stat status {};
  size_ = ::fstat(fd_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  char last = '\n';
  if (size_ > 0 && ::pread(fd_, &last, 1, static_cast<off_t>(size_ - 1)) == 1 && last != '\n') {
    // The process or the disk gave out in the middle of a line.
    if (!write_all(fd_, "\n")) {
      close();
      return false;
    }
    ++size_;
  }
  return true;
}

void LogFile::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void LogFile::rotate() {
  close();
  if (config_.keep == 0) {
    ::unlink(config_.path.c_str());
    return;
  }
  // A rename that fails leaves the file to grow, which is better than to lose lines.
  for (unsigned n = config_.keep; n > 1; --n) ::rename(rotated(n - 1).c_str(), rotated(n).c_str());
  ::rename(config_.path.c_str(), rotated(1).c_str());
}

}  // namespace latchkey::report
