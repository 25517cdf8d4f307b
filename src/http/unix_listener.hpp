#pragma once

// Listening at a file: unix(7).

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "http/socket.hpp"

namespace latchkey::http {

/// "unix:/run/latchkey/keys.sock?mode=0660&group=www-data". A process that may write to the file may connect.
struct UnixAddress {
  std::string path;    // absolute, at most 107 bytes (sun_path)
  mode_t mode = 0600;  // of the file
  std::string group;   // that the file is given to; empty: the process's own

  /// ErrorCode::invalid, with the remedy, for anything else than the form above. Whether the group exists is for open().
  static Result<UnixAddress> parse(std::string_view text);
  bool operator==(const UnixAddress&) const = default;
};

/// The file of a listening socket. Move-only; goes with its owner, unless another stands in its place by then.
class SocketFile {
 public:
  SocketFile() = default;
  /// What stands at the path now is ours.
  static Result<SocketFile> at(std::string path);
  SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }
  SocketFile& operator=(SocketFile&& other) noexcept;
  ~SocketFile() { remove(); }

  /// No new client finds the way; those that have connected can still be accepted.
  void remove();

 private:
  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct UnixListener {
  SocketFile file;
  Socket socket;

  /// A file that a killed process left is replaced: a socket of ours that nobody answers at. ErrorCode::unavailable, and
  /// nothing is touched, where another process answers, where the file is somebody else's or no socket, and where mode or
  /// group cannot be given. Nobody can connect before mode and group are as wanted.
  static Result<UnixListener> open(const UnixAddress& address);
};

/// Whether the group exists, so that it can be said before a service starts.
Result<void> check_group(const UnixAddress& address);

}  // namespace latchkey::http
