#include "report/log_file.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/regular_file.hpp"

namespace latchkey::report {

Result<void> LogFile::append(std::string_view lines) {
  follow();
  if (is_open() && size_ > 0 && size_ + lines.size() > most_bytes()) rotate();
  auto written = write(lines);
  if (!written || !is_nowhere()) return written;
  close();  // it was removed just now, and the lines with it
  return write(lines);
}

std::uint64_t LogFile::most_bytes() const {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0) return config_.max_bytes;
  return std::min<std::uint64_t>(config_.max_bytes, limit.rlim_cur);
}

void LogFile::follow() {
  if (!is_open()) return;
  struct stat ours {
  }, named{};
  const bool known = ::fstat(file_.get(), &ours) == 0 && ::lstat(config_.path.c_str(), &named) == 0;
  if (!known || ours.st_dev != named.st_dev || ours.st_ino != named.st_ino) return close();
  const bool same = size_ == static_cast<std::uint64_t>(ours.st_size);
  size_ = static_cast<std::uint64_t>(ours.st_size);
  if (!same && !begin_a_line()) close();
}

bool LogFile::is_nowhere() const {
  struct stat ours {};
  return ::fstat(file_.get(), &ours) == 0 && ours.st_nlink == 0;
}

Result<void> LogFile::write(std::string_view lines) {
  if (auto opened = open(); !opened) return opened;
  if (write_all(file_.get(), lines)) {
    size_ += lines.size();
    return {};
  }
  const int why = errno;
  // Half a line must not stay. If even that fails, open() sees to it. Only ever shorter: of a file that somebody else
  // has emptied meanwhile, ftruncate() would make one of zeros.
  struct stat ours {};
  if (::fstat(file_.get(), &ours) == 0 && static_cast<std::uint64_t>(ours.st_size) > size_) {
    [[maybe_unused]] const int cut = ::ftruncate(file_.get(), static_cast<off_t>(size_));
  }
  close();
  return failure(why);
}

Result<void> LogFile::open() {
  if (is_open()) return {};
  std::error_code ignored;  // open_regular() below says whether there is a folder
  const auto folder = std::filesystem::path(config_.path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  auto opened = open_regular(config_.path, O_RDWR | O_CREAT | O_APPEND);
  if (!opened) return opened.error();
  file_ = std::move(*opened);
  struct stat status {};
  size_ = ::fstat(file_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  if (auto begun = begin_a_line(); !begun) return close(), begun;
  return {};
}

/// The process or the disk gave out in the middle of a line, or somebody cut it there.
Result<void> LogFile::begin_a_line() {
  char last = '\n';
  if (size_ == 0 || ::pread(file_.get(), &last, 1, static_cast<off_t>(size_ - 1)) != 1 || last == '\n') return {};
  if (!write_all(file_.get(), "\n")) return failure(errno);
  ++size_;
  return {};
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

Error LogFile::failure(int why) const {
  return Error(ErrorCode::unavailable, fmt::format("{}: {}", config_.path, std::strerror(why)));
}

}  // namespace latchkey::report
