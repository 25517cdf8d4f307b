#include "data_dir/private_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/file_error.hpp"
#include "base/log.hpp"
#include "data_dir/small_file.hpp"

namespace latchkey::data_dir {
namespace {

namespace fs = std::filesystem;

bool is_our_group(gid_t group) {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(0, count)));
  return group == ::getegid() || std::find(groups.begin(), groups.end(), group) != groups.end();
}

Result<struct stat> made_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return cannot("create", path, errno);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return cannot("look at", path, errno);
  if (!S_ISDIR(status.st_mode)) return cannot("use", path, ENOTDIR);
  return status;
}

unsigned mode_of(const struct stat& status) { return status.st_mode & 07777U; }

Error open_to_others(const fs::path& path, const struct stat& status) {
  return Error(ErrorCode::unavailable, fmt::format("{0} can be written to by others (mode {1:04o}); run: chmod 700 {0}",
                                                   path.string(), mode_of(status)));
}

Result<void> take_away(const fs::path& path, const struct stat& status, mode_t mode) {
  if (::chmod(path.c_str(), mode) != 0) return cannot("protect", path, errno);
  log_warning("{} was open to others (mode {:04o}); it is {:04o} now", path.string(), mode_of(status), mode);
  return {};
}

Result<void> own_directory(const fs::path& path, const struct stat& status) {
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return open_to_others(path, status);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
  return take_away(path, status, 0700);
}

/// `ours`: the group's access is not what lets us in, and others' can be taken away.
Result<void> group_directory(const fs::path& path, const struct stat& status, bool ours) {
  if ((status.st_mode & S_IWOTH) != 0) return open_to_others(path, status);
  const bool by_group = (status.st_mode & S_IRWXG) == S_IRWXG && is_our_group(status.st_gid);
  if (ours && (by_group || (status.st_mode & S_IRWXG) == 0)) {
    return (status.st_mode & S_IRWXO) == 0 ? Result<void>() : take_away(path, status, mode_of(status) & ~07U);
  }
  if (by_group && ::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0) return {};
  return Error(ErrorCode::unavailable,
               fmt::format("{0} belongs to another user (uid {1}, mode {2:04o}), and no group of ours may write to it "
                           "(we are uid {3}); run: chown {3} {0}, or give it to a group of ours: chgrp {4} {0} && "
                           "chmod 2770 {0}",
                           path.string(), status.st_uid, mode_of(status), ::geteuid(), ::getegid()));
}

Result<void> keep_secret(const fs::path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) return cannot("look at", file, errno);
  if (!S_ISREG(status.st_mode)) return {};  // opening it says so
  const bool ours = status.st_uid == ::geteuid();
  if (ours && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
  if (ours) return ::chmod(file.c_str(), 0600) == 0 ? Result<void>() : cannot("protect", file, errno);
  const auto text = read_small_file(file);
  if (!text) return text.error();
  return write_small_file(file, *text, IfExists::replace);
}

}  // namespace

Result<Tenure> private_directory(const fs::path& path) {
  const auto status = made_directory(path);
  if (!status) return status.error();
  const bool ours = status->st_uid == ::geteuid();
  const auto usable = ours ? own_directory(path, *status) : group_directory(path, *status, false);
  if (!usable) return usable.error();
  return ours ? Tenure::own : Tenure::group;
}

Result<void> private_directory_in(Tenure tenure, const fs::path& path) {
  const auto status = made_directory(path);
  if (!status) return status.error();
  const bool ours = status->st_uid == ::geteuid();
  return ours && tenure == Tenure::own ? own_directory(path, *status) : group_directory(path, *status, ours);
}

Result<void> keep_secrets(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (auto kept = keep_secret(at->path()); !kept) return kept;
  }
  return error ? cannot("list", directory, error.value()) : Result<void>();
}

}  // namespace latchkey::data_dir
