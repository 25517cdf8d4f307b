#include "base/file_name.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace latchkey {
namespace {

std::string name_at(int directory, const char* path, int flags) {
  struct statx file {};
  if (::statx(directory, path, flags, STATX_INO | STATX_NLINK | STATX_BTIME, &file) != 0) return {};
  if (file.stx_nlink != 1) return {};
  const bool dated = (file.stx_mask & STATX_BTIME) != 0;
  return fmt::format("{}:{}:{}:{}.{}", file.stx_dev_major, file.stx_dev_minor, file.stx_ino,
                     dated ? file.stx_btime.tv_sec : 0, dated ? file.stx_btime.tv_nsec : 0);
}

}  // namespace

std::string file_name_of(int descriptor) { return name_at(descriptor, "", AT_EMPTY_PATH); }

std::string file_name_of(const std::filesystem::path& path) {
  return name_at(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW);
}

std::int64_t changed_at(int descriptor) {
  struct stat file {};
  if (::fstat(descriptor, &file) != 0) return 0;
  return std::int64_t{file.st_ctim.tv_sec} * 1'000'000'000 + file.st_ctim.tv_nsec;
}

}  // namespace latchkey
