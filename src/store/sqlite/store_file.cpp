#include "store/sqlite/store_file.hpp"

#include "base/log.hpp"
#include "store/sqlite/foreign_wal.hpp"
#include "store/sqlite/schema.hpp"

namespace latchkey::store {
Result<StoreFile> StoreFile::open(std::filesystem::path path, Random& random) {
  StoreFile file(std::move(path), random);
  if (auto opened = file.open_with(migrate, Settle::where_needed); !opened) return opened.error();
  return file;
}

Result<void> StoreFile::still_there() const {
  if (!database_) return Error(ErrorCode::unavailable, "the database was replaced and cannot be opened", "not open");
  if (auto there = identity_.still_at(path_); !there) return there;
  if (!was_written_over()) return {};
  return Error(ErrorCode::unavailable, "the database file was replaced", path_.string() + " was written over");
}

bool StoreFile::must_follow() const {
  const auto now = FileIdentity::of(path_);
  if (!now) return false;
  return now->empty ? is_open() : !is_open() || *now != identity_ || was_written_over();
}

bool StoreFile::was_written_over() const {
  return database_ && written_behind(files_, FileState::of(path_, open_files_, files_));
}

Result<bool> StoreFile::settle() {
  files_ = FileState::of(path_, open_files_, files_);
  return store::settle(*database_, *witness_, files_, *random_, Settle::where_needed);
}

Result<void> StoreFile::announce(const LogEnd& next) const { return store::announce(*witness_, next, files_); }

void StoreFile::confirm(const LogEnd& end) {
  files_ = FileState::of(path_, open_files_, files_);
  if (auto confirmed = store::confirm(*witness_, end, files_); !confirmed)
    log_warning("{}", confirmed.error().internal);
}

void StoreFile::note_files() {
  const auto now = FileState::of(path_, open_files_, files_);
  if (now == files_) return;
  files_ = now;
  if (auto noted = store::note_files(*witness_, files_); !noted) log_warning("{}", noted.error().internal);
}

Result<void> StoreFile::follow() {
  abandon();
  const auto now = FileIdentity::of(path_);
  // Whatever is copied into an emptied file, of the same inode then, is another database than ours.
  if (!now || now->empty) {
    identity_.files[0] = {};
    return Error(ErrorCode::unavailable, "the database file is empty", path_.string() + " is gone or empty");
  }
  if (auto aside = set_foreign_wal_aside(path_, *witness_); !aside) return aside;
  set_orphans_aside(FileIdentity::of(path_).value_or(*now));
  auto opened = open_with(adopt, Settle::always);
  if (opened) log_warning("the database file was replaced; going on with the new one: {}", path_.string());
  return opened;
}

Result<void> StoreFile::settle_opened(Database& database, Settle when) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
  files_ = FileState::of(path_, open_files_, {});
  const auto settled = store::settle(database, *witness_, files_, *random_, when);
  auto ended = database.execute(settled ? "COMMIT" : "ROLLBACK");
  if (!settled) return settled.error();
  if (ended && *settled) note_files();
  return ended;
}

Result<void> StoreFile::open_with(Result<void> (*prepare)(Database&, Random&), Settle when) {
  if (auto aside = set_foreign_wal_aside(path_, *witness_); !aside) return aside;
  const auto before = FileIdentity::of(path_);
  auto database = Database::open(path_, Access::write, store_busy_timeout_ms);
  if (!database) return database.error();
  if (auto prepared = prepare(*database, *random_); !prepared) return prepared;
  // The first read in WAL mode makes SQLite open -wal and -shm.
  if (auto version = database->query_integer("PRAGMA user_version"); !version) return version.error();
  const auto files = OpenFiles::of(*database);
  if (!files) return files.error();
  open_files_ = *files;
  if (auto settled = settle_opened(*database, when); !settled) return settled;
  const auto after = FileIdentity::of(path_);
  if (!before || !after || before->files[0] != after->files[0] || after->empty) {
    return Error(ErrorCode::unavailable, "the database file was replaced while it was opened", path_.string());
  }
  identity_ = *after;
  database_.emplace(std::move(*database));
  return {};
}

void StoreFile::close() {
  if (!database_) return;
  database_.reset();
  // If nobody else has it open, that has written the -wal back and removed it: nothing is left to be laid over a copy.
  const bool closed_last = !FileState::of_names(path_).same_database_file(files_);
  if (closed_last && !store::note_files(*witness_, {})) return;
  if (auto synced = witness_->sync(); !synced) log_warning("{}", synced.error().internal);
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
      set_file_aside(database_file(path_, i), "belongs to the database that was replaced");
    }
  }
  // A reader in another process may have made it anew while the old database was being removed.
  set_unfitting_index_aside(path_);
}

}  // namespace latchkey::store
