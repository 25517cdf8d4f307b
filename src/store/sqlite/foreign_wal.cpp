#include "store/sqlite/foreign_wal.hpp"

#include <sys/stat.h>

#include <array>
#include <ctime>
#include <fstream>

#include "base/log.hpp"
#include "base/regular_file.hpp"
#include "store/sqlite/file_identity.hpp"
#include "store/sqlite/wal_index.hpp"
#include "store/sqlite/wal_write_lock.hpp"

namespace latchkey::store {

namespace fs = std::filesystem;

namespace {

/// After a crash of the machine nobody knows how far a checkpoint had come. But the file was certainly not written by
/// one when that happened in this boot, in which none of us has opened it yet: a shell that did has taken -wal away.
bool changed_in_this_boot(const std::filesystem::path& file) {
  struct stat status {};
  timespec wall{};
  timespec boot{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  ::clock_gettime(CLOCK_BOOTTIME, &boot);
  return ::stat(file.c_str(), &status) == 0 && status.st_ctim.tv_sec > wall.tv_sec - boot.tv_sec;
}

bool is_foreign(const std::filesystem::path& database, const Testimony& said) {
  const FileState& known = said.shown.files;
  // Without a look into the files: to close a descriptor of theirs would drop the locks of another connection of ours.
  const FileState names = FileState::of_names(database);
  if (known.inode == 0 || names.wal_inode == 0 || names.wal_inode != known.wal_inode) return false;
  if (names.same_database_file(known)) return false;
  const FileState now = FileState::of_closed(database);
  if (said.of_this_boot || known.inode != now.inode) return written_behind(known, now);
  return now.digest != known.digest && changed_in_this_boot(database);
}

/// By its header a database names its own size; a copy that is under way has not reached it.
bool is_whole(const fs::path& file) {
  std::array<unsigned char, 100> header{};
  std::ifstream(file, std::ios::binary).read(reinterpret_cast<char*>(header.data()), header.size());
  const auto big_endian = [&](std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8U | header.at(at + i);
    return value;
  };
  const std::uint64_t page = big_endian(16, 2) == 1 ? 65536 : big_endian(16, 2);
  std::error_code none;
  const auto size = fs::file_size(file, none);
  return !none && page != 0 && big_endian(28, 4) != 0 && size >= page * big_endian(28, 4);
}

/// The same bytes in another file: a process that still has the old one open, with the old -shm mapped, sees by the
/// inode that it must let go. SQLite shares both among the connections of a process as long as the inode is the same.
Result<void> make_another_file(const fs::path& file) {
  const fs::path copy = file.string() + ".copy";
  std::error_code failed;
  fs::copy_file(file, copy, fs::copy_options::overwrite_existing, failed);
  if (!failed) fs::permissions(copy, fs::perms::owner_read | fs::perms::owner_write, failed);
  if (!failed) fs::rename(copy, file, failed);
  if (!failed) return {};
  return Error(ErrorCode::unavailable, "the database is not available", copy.string() + ": " + failed.message());
}

}  // namespace

void set_file_aside(const std::filesystem::path& file, std::string_view why) {
  const auto aside = unused_name(file.string() + ".replaced");
  log_warning("{} {}; set aside as {}", file.string(), why, aside.string());
  std::error_code ignored;  // then opening fails or the next look finds it again
  std::filesystem::rename(file, aside, ignored);
}

void set_unfitting_index_aside(const fs::path& database) {
  const fs::path index = database_file(database, 2);
  // Compared and renamed under the lock: otherwise another process may have made it anew, and work with it, by then.
  const auto quiet = WalWriteLock::take(index);
  if (quiet && !wal_index_fits(database)) set_file_aside(index, "was made from another -wal");
}

Result<void> set_foreign_wal_aside(const std::filesystem::path& database, Witness& witness) {
  return witness.exclusively([&](const Testimony& said) -> Result<void> {
    for (const std::size_t i : {0U, 1U, 2U}) {
      if (auto file = check_regular(database_file(database, i), Links::follow); !file) return file;
    }
    if (!is_foreign(database, said)) return {};
    if (!is_whole(database)) {
      return Error(ErrorCode::unavailable, "the database is being replaced", database.string() + " is not whole yet");
    }
    for (const std::size_t i : {1U, 2U}) {
      const auto file = database_file(database, i);
      if (std::error_code none; std::filesystem::exists(file, none)) {
        set_file_aside(file, "is not of the database file beside it, which was written by another program");
      }
    }
    return FileState::of_names(database).inode == said.shown.files.inode ? make_another_file(database) : Result<void>();
  });
}

}  // namespace latchkey::store
