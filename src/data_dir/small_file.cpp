#include "data_dir/small_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace latchkey::data_dir {
namespace {

Error failed(std::string_view what, std::string_view name, int error) {
  return Error(error == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable,
               fmt::format("cannot {} {}: {}", what, name, std::strerror(error)));
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

Result<std::string> read_small_file(const std::filesystem::path& path, Links links) {
  return read_regular(path, max_small_file_bytes, links);
}

Result<std::string> read_small_input(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed("read", path.string(), errno);
  return read_to_end(file.get(), path.string(), max_small_file_bytes);
}

Result<std::string> read_stdin() { return read_to_end(STDIN_FILENO, "standard input", max_small_file_bytes); }

Result<void> write_small_file(const std::filesystem::path& path, std::string_view text, IfExists if_exists) {
  std::string temporary = path.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // made 0600
  if (file.get() < 0) return failed("write", path.string(), errno);
  if (!write_all(file.get(), text) || ::fsync(file.get()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return failed("write", path.string(), error);
  }
  if (auto placed = put_in_place(temporary, path, if_exists); !placed) return placed;
  (void)sync_directory(path.parent_path());
  return {};
}

}  // namespace latchkey::data_dir
