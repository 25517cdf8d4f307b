#pragma once

// The one way by which this program opens files by name. A data directory may hold anything: somebody made a FIFO at
// the name of a lock, and open() would wait for its other end for ever, with SIGTERM blocked; a link at the name of a
// log leads to a file that is not ours; a read of a device may never end.

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace latchkey {

/// Of the last part of a path; folders on the way may be links, such as /var/run.
enum class Links : std::uint8_t {
  refuse,  // a file of ours: we made it, and we make no links
  follow   // a person chose the path, and may have put a link there: a mounted secret, a database on another disk
};

/// open(2) of a regular file, with O_CLOEXEC; never waits. `flags` as for open(2); a file that O_CREAT makes has mode
/// 0600 (less the umask). ErrorCode::not_found where there is none, conflict where O_EXCL found one, else unavailable,
/// also for whatever is no regular file; `detail` names path and cause: "cannot open run/keys.lock: it is a FIFO, not a
/// regular file".
Result<Descriptor> open_regular(const std::filesystem::path& path, int flags, Links links = Links::refuse);

/// The same question without an answer to open: for libraries that open by name (SQLite, OpenSSL, std::ifstream), right
/// before they do. That nothing is there is good.
Result<void> check_regular(const std::filesystem::path& path, Links links = Links::refuse);

/// The whole file. ErrorCode::unavailable where it is larger than `max_bytes`.
Result<std::string> read_regular(const std::filesystem::path& path, std::size_t max_bytes, Links links = Links::refuse);

/// Until the end of what is open; `name` is for the error.
Result<std::string> read_to_end(int descriptor, std::string_view name, std::size_t max_bytes);

/// False, with errno: not all of it was written. Goes on after an interruption.
bool write_all(int descriptor, std::string_view octets);

/// Makes names that were created, renamed or removed in it last.
bool sync_directory(const std::filesystem::path& directory);

}  // namespace latchkey
