#include "http/unix_listener.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "base/shown.hpp"

namespace latchkey::http {
namespace {

constexpr std::string_view scheme = "unix:";

Error cannot(std::string_view what, const std::string& path, int error) {
  return Error(ErrorCode::unavailable,
               fmt::format("cannot {} {}: {}", what, path, std::generic_category().message(error)));
}

Error occupied(const std::string& path, std::string_view why) {
  return Error(ErrorCode::unavailable, fmt::format("cannot listen at {}: {}", path, why));
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Socket new_unix_socket() { return Socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

/// 0, or why nobody answers there.
int connect_error(const std::string& path) {
  const Socket probe = new_unix_socket();
  const sockaddr_un address = address_of(path);
  return ::connect(probe.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

/// Held while a stale file is looked at and replaced, so that of two that start at once one sees the other's. The
/// directory's own lock: nothing is left behind, and the kernel drops it with the process.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& file)
      : directory_(::open(file.substr(0, std::max<std::size_t>(file.rfind('/'), 1)).c_str(),
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    for (int tries = 0; directory_.is_open() && tries < 200; ++tries) {
      if (::flock(directory_.descriptor(), LOCK_EX | LOCK_NB) == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

 private:
  Socket directory_;  // a descriptor that closes itself
};

/// Makes room at the path, or says why not.
Result<void> clear_stale(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return errno == ENOENT ? Result<void>() : cannot("look at", path, errno);
  if (!S_ISSOCK(status.st_mode)) return occupied(path, "a file that is no socket stands there");
  const int error = connect_error(path);
  if (error == 0 || error == EAGAIN) return occupied(path, "another process does");  // EAGAIN: its queue is full
  if (status.st_uid != ::geteuid()) {
    return occupied(path, fmt::format("a socket of another user (uid {}) stands there: remove it", status.st_uid));
  }
  if (error != ECONNREFUSED) return cannot("find out what listens at", path, error);
  if (::unlink(path.c_str()) != 0) return cannot("remove the stale socket", path, errno);
  return {};
}

std::optional<gid_t> group_id(const std::string& name) {
  std::vector<char> room(16 * 1024);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return found->gr_gid;
}

Error bad(std::string_view text, std::string_view why) {
  return Error::invalid("/listen", fmt::format("{} {}", shown(text), why));
}

Result<void> take_option(UnixAddress& address, std::string_view text, std::string_view option) {
  const auto equals = option.find('=');
  const std::string_view name = option.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : option.substr(equals + 1);
  if (name == "group" && !value.empty()) return address.group = value, Result<void>();
  if (name != "mode") return bad(text, "has an option that is not mode=0660 or group=NAME");
  unsigned mode = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), mode, 8);
  if (failed != std::errc() || end != value.data() + value.size() || mode > 0777 || value.size() > 4) {
    return bad(text, "needs an octal mode, such as 0660");
  }
  address.mode = mode;
  return {};
}

/// The mode and the group of a file that nobody can connect at yet. By a descriptor, so that no link is followed.
Result<void> give(const UnixAddress& address) {
  const Socket file(::open(address.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file.is_open()) return cannot("look at", address.path, errno);
  if (const auto group = address.group.empty() ? std::nullopt : group_id(address.group)) {
    if (::fchownat(file.descriptor(), "", static_cast<uid_t>(-1), *group, AT_EMPTY_PATH) != 0) {
      return cannot(fmt::format("give to the group {} (is this user in it?)", address.group), address.path, errno);
    }
  }
  const std::string link = fmt::format("/proc/self/fd/{}", file.descriptor());  // fchmod() refuses O_PATH
  if (::chmod(link.c_str(), address.mode) != 0) return cannot("set the mode of", address.path, errno);
  return {};
}

}  // namespace

Result<UnixAddress> UnixAddress::parse(std::string_view text) {
  UnixAddress address;
  if (!text.starts_with(scheme)) return bad(text, "is not unix:/path");
  std::string_view rest = text.substr(scheme.size());
  address.path = rest.substr(0, rest.find('?'));
  if (!address.path.starts_with('/')) return bad(text, "needs an absolute path: unix:/run/latchkey/keys.sock");
  if (address.path.ends_with('/') || address.path.contains('\0')) return bad(text, "names no file");
  if (address.path.size() >= sizeof(sockaddr_un::sun_path)) {
    return bad(text, fmt::format("has a path of more than {} bytes, which no socket can have",
                                 sizeof(sockaddr_un::sun_path) - 1));
  }
  rest.remove_prefix(address.path.size());
  std::vector<std::string_view> seen;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // '?' or '&'
    const std::string_view option = rest.substr(0, rest.find('&'));
    const std::string_view name = option.substr(0, option.find('='));
    if (std::ranges::find(seen, name) != seen.end()) return bad(text, fmt::format("has {} twice", shown(name)));
    seen.push_back(name);
    if (auto taken = take_option(address, text, option); !taken) return taken.error();
    rest.remove_prefix(option.size());
  }
  return address;
}

Result<void> check_group(const UnixAddress& address) {
  if (address.group.empty() || group_id(address.group)) return {};
  return bad(address.group, fmt::format("is no group of this machine, so {} cannot be given to it", address.path));
}

Result<SocketFile> SocketFile::at(std::string path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return cannot("look at", path, errno);
  if (!S_ISSOCK(status.st_mode)) return occupied(path, "something else was put in its place");
  SocketFile file;
  file.path_ = std::move(path);
  file.device_ = status.st_dev;
  file.inode_ = status.st_ino;
  return file;
}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  if (this == &other) return *this;
  remove();
  path_ = std::exchange(other.path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

void SocketFile::remove() {
  if (path_.empty()) return;
  struct stat status {};
  const bool ours = ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
  path_.clear();
}

Result<UnixListener> UnixListener::open(const UnixAddress& address) {
  if (auto known = check_group(address); !known) return known.error();
  const DirectoryLock lock(address.path);
  if (auto cleared = clear_stale(address.path); !cleared) return cleared.error();
  UnixListener listener{{}, new_unix_socket()};
  const sockaddr_un bound = address_of(address.path);
  const int descriptor = listener.socket.descriptor();
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&bound), sizeof bound) != 0) {
    return cannot("listen at", address.path, errno);
  }
  auto file = SocketFile::at(address.path);
  if (!file) return file.error();
  listener.file = std::move(*file);
  if (auto given = give(address); !given) return given.error();
  if (::listen(descriptor, SOMAXCONN) != 0) return cannot("listen at", address.path, errno);
  return listener;
}

}  // namespace latchkey::http
