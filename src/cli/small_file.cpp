#include "cli/small_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/descriptor.hpp"

namespace latchkey::cli {
namespace {

Error failed(std::string_view what, std::string_view name, int error) {
  return Error(error == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable,
               fmt::format("cannot {} {}: {}", what, name, std::strerror(error)));
}

Result<std::string> read_all(int fd, std::string_view name) {
  std::string text;
  std::array<char, 4096> block{};
  for (;;) {
    const auto got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", name, errno);
    if (got == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > max_small_file_bytes) return failed("read", name, EFBIG);
  }
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return ::fsync(fd) == 0;
}

Result<void> put_in_place(const std::string& temporary, const std::filesystem::path& path, IfExists if_exists) {
  if (if_exists == IfExists::replace) {
    if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
    const int error = errno;
    ::unlink(temporary.c_str());
    return failed("write", path.string(), error);
  }
  const int error = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(temporary.c_str());
  if (error != 0 && error != EEXIST) return failed("write", path.string(), error);
  return {};
}

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed("read", path.string(), errno);
  return read_all(file.get(), path.string());
}

Result<std::string> read_stdin() { return read_all(STDIN_FILENO, "standard input"); }

Result<void> write_small_file(const std::filesystem::path& path, std::string_view text, IfExists if_exists) {
  std::string temporary = path.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // made 0600
  if (file.get() < 0) return failed("write", path.string(), errno);
  if (!write_all(file.get(), text)) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return failed("write", path.string(), error);
  }
  if (auto placed = put_in_place(temporary, path, if_exists); !placed) return placed;
  const Descriptor directory(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
  return {};
}

}  // namespace latchkey::cli
