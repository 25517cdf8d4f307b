#include "store/sqlite/store_file.hpp"

#include "base/log.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/wal_index.hpp"

namespace latchkey::store {
namespace {

void set_aside(const std::filesystem::path& file, std::string_view why) {
  log_warning("{} {}; set aside with .replaced added", file.string(), why);
  std::error_code ignored;  // then opening fails or the next look finds it again
  std::filesystem::rename(file, file.string() + ".replaced", ignored);
}

}  // namespace

Result<StoreFile> StoreFile::open(std::filesystem::path path, Random& random) {
  StoreFile file(std::move(path), random);
  if (auto opened = file.open_with(migrate); !opened) return opened.error();
  return file;
}

Result<void> StoreFile::still_there() const {
  if (!database_) return Error(ErrorCode::unavailable, "the database was replaced and cannot be opened", "not open");
  return identity_.still_at(path_);
}

bool StoreFile::must_follow() const {
  const auto now = FileIdentity::of(path_);
  if (!now) return false;
  return now->empty ? is_open() : !is_open() || *now != identity_;
}

Result<void> StoreFile::follow() {
  abandon();
  const auto now = FileIdentity::of(path_);
  // Whatever is copied into an emptied file, of the same inode then, is another database than ours.
  if (!now || now->empty) {
    identity_.files[0] = {};
    return Error(ErrorCode::unavailable, "the database file is empty", path_.string() + " is gone or empty");
  }
  set_orphans_aside(*now);
  auto opened = open_with(adopt);
  if (opened) log_warning("the database file was replaced; going on with the new one: {}", path_.string());
  return opened;
}

Result<void> StoreFile::open_with(Result<void> (*prepare)(Database&, Random&)) {
  const auto before = FileIdentity::of(path_);
  auto database = Database::open(path_, Access::write, store_busy_timeout_ms);
  if (!database) return database.error();
  if (auto prepared = prepare(*database, *random_); !prepared) return prepared;
  // The first read in WAL mode makes SQLite open -wal and -shm.
  if (auto version = database->query_integer("PRAGMA user_version"); !version) return version.error();
  const auto after = FileIdentity::of(path_);
  if (!before || !after || before->files[0] != after->files[0] || after->empty) {
    return Error(ErrorCode::unavailable, "the database file was replaced while it was opened", path_.string());
  }
  identity_ = *after;
  database_.emplace(std::move(*database));
  return {};
}

void StoreFile::abandon() {
  if (!database_) return;
  sqlite3_db_config(database_->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  database_.reset();
}

// A backup renamed over the database finds the old -wal and -shm beside it, and SQLite would take those pages for its
// own. Kept under another name: they hold commits that the old file may not have yet.
void StoreFile::set_orphans_aside(const FileIdentity& now) {
  bool orphaned = now.files[0] != identity_.files[0];
  for (const std::size_t i : {1U, 2U}) {
    if (now.files[i] != identity_.files[i]) {
      orphaned = true;
    } else if (orphaned && now.files[i] != FileIdentity{}.files[i]) {
      set_aside(database_file(path_, i), "belongs to the database that was replaced");
    }
  }
  // A reader in another process may have made it anew while the old database was being removed.
  if (!wal_index_fits(path_)) set_aside(database_file(path_, 2), "was made from another -wal");
}

}  // namespace latchkey::store
