#include "base/regular_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace latchkey {
namespace {

std::string_view kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "a directory";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    case S_IFCHR:
    case S_IFBLK:
      return "a device";
    default:
      return "something else";
  }
}

Error irregular(const std::filesystem::path& path, mode_t mode) {
  return Error(ErrorCode::unavailable,
               fmt::format("cannot open {}: it is {}, not a regular file", path.string(), kind_of(mode)));
}

Error failed(std::string_view what, std::string_view name, int error) {
  const auto code = error == ENOENT   ? ErrorCode::not_found
                    : error == EEXIST ? ErrorCode::conflict
                                      : ErrorCode::unavailable;
  return Error(code, fmt::format("cannot {} {}: {}", what, name, std::strerror(error)));
}

/// What open() refused by a number that says little: ENXIO for a FIFO, ELOOP for a link.
Error refused(const std::filesystem::path& path, Links links, int error) {
  struct stat status {};
  const auto look = links == Links::follow ? ::stat : ::lstat;
  if (error != EEXIST && look(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return irregular(path, status.st_mode);
  }
  return failed("open", path.string(), error);
}

}  // namespace

Result<Descriptor> open_regular(const std::filesystem::path& path, int flags, Links links) {
  // Without O_NONBLOCK a FIFO waits for its other end; of a regular file it changes nothing. O_NOCTTY: a terminal that
  // is opened by mistake must not become ours. O_TRUNC waits until it is known what would be emptied.
  const int asked = (flags & ~O_TRUNC) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (links == Links::refuse ? O_NOFOLLOW : 0);
  Descriptor file(::open(path.c_str(), asked, 0600));
  if (file.get() < 0) {
    Error error = refused(path, links, errno);
    const bool no_folder = error.code == ErrorCode::not_found && (flags & O_CREAT) != 0;
    if (no_folder) error.code = ErrorCode::unavailable;
    return error;
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed("look at", path.string(), errno);
  if (!S_ISREG(status.st_mode)) return irregular(path, status.st_mode);
  if ((flags & O_TRUNC) != 0 && ::ftruncate(file.get(), 0) != 0) return failed("empty", path.string(), errno);
  return file;
}

Result<void> check_regular(const std::filesystem::path& path, Links links) {
  struct stat status {};
  const auto look = links == Links::follow ? ::stat : ::lstat;
  if (look(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return failed("look at", path.string(), errno);
  }
  if (!S_ISREG(status.st_mode)) return irregular(path, status.st_mode);
  return {};
}

Result<std::string> read_regular(const std::filesystem::path& path, std::size_t max_bytes, Links links) {
  const auto file = open_regular(path, O_RDONLY, links);
  if (!file) return file.error();
  return read_to_end(file->get(), path.string(), max_bytes);
}

Result<std::string> read_to_end(int descriptor, std::string_view name, std::size_t max_bytes) {
  std::string text;
  std::array<char, 16384> block{};
  for (;;) {
    const auto got = ::read(descriptor, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", name, errno);
    if (got == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      return Error(ErrorCode::unavailable, fmt::format("cannot read {}: it is larger than {} bytes", name, max_bytes));
    }
  }
}

bool write_all(int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const auto n = ::write(descriptor, octets.data(), octets.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool sync_directory(const std::filesystem::path& directory) {
  const auto name = directory.empty() ? std::filesystem::path(".") : directory;
  const Descriptor opened(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.get() >= 0 && ::fsync(opened.get()) == 0;
}

}  // namespace latchkey
