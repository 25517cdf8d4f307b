#pragma once

// "latchkey.db-witness", beside the database: how far the log has been shown to anybody.
//
// A backup knows its epoch and the log up to the moment it was made, not what came after. Example: it ends at E.3, the
// database went on to E.5, a client remembers E.5. When the backup is put back, the next change would be E.4 again, and
// E.5 soon another change than the client's. The witness is no part of a backup: it says E.5 and its nonce, the
// database that is found has no such change, so a new epoch begins before anything is answered
// (store/sqlite/settle.hpp).
//
// Believed only when it can be the newest: written in this boot of the machine, or synced by an orderly stop; and
// written by us last: a copy that was put back has a ctime, which nobody can set, later than the moment it names.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/mutex.hpp"
#include "key/change.hpp"
#include "store/sqlite/file_state.hpp"

namespace latchkey::store {

/// All zero: nothing has been shown, or nobody knows.
struct Shown {
  LogEnd end;       // all changes up to here may have been seen
  LogEnd next;      // about to be committed by the store, or committed just now; seq 0: none
  FileState files;  // as the store saw them last, before `next`
  bool operator==(const Shown&) const = default;
};

struct Testimony {
  Shown shown;
  bool believed = false;
  bool of_this_boot = false;
};

/// Each process that opens the database opens this too. Any thread may call any method. Survives a kill of the process
/// without a sync, since the kernel has what was written.
class Witness {
 public:
  explicit Witness(const std::filesystem::path& database);
  /// For tests: `boot` names the boot of the machine; its clock is ahead of the file system's.
  Witness(const std::filesystem::path& database, std::string_view boot, std::uint64_t wall_ahead_ns = 0);
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  /// Not believed when there is no file yet. ErrorCode::unavailable when it cannot be opened, made or read.
  Result<Testimony> read();
  /// Writes `next` where the file still says `expected`, and makes it believed. False: it says something else by now.
  Result<bool> replace(const Shown& expected, const Shown& next);
  /// After the last replace() of an orderly stop: what it says is on the disk, and may be believed in another boot.
  Result<void> sync();
  /// Calls `work` while nobody else can write the file.
  Result<void> exclusively(const std::function<Result<void>(const Testimony&)>& work);

  static std::filesystem::path path_of(const std::filesystem::path& database);

 private:
  struct Page;
  class Lock;
  Result<void> open() REQUIRES(mutex_);
  bool is_at_path() const REQUIRES(mutex_);
  Result<Testimony> read_steady() REQUIRES(mutex_);
  Result<void> write(const Shown& shown, bool synced) REQUIRES(mutex_);  // and Lock

  const std::filesystem::path path_;
  const std::uint64_t boot_;
  const std::uint64_t wall_ahead_ns_;
  Mutex mutex_;
  Descriptor file_ GUARDED_BY(mutex_){-1};
};

}  // namespace latchkey::store
