#include "store/sqlite/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/regular_file.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/file_header.hpp"
#include "store/sqlite/file_identity.hpp"
#include "store/sqlite/foreign_wal.hpp"
#include "store/sqlite/queries.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/witness.hpp"

namespace latchkey::store {
namespace {

namespace fs = std::filesystem;

Error cannot(std::string_view what, const fs::path& file, const std::string& why) {
  return Error(ErrorCode::unavailable, fmt::format("cannot {} {}: {}", what, file.string(), why));
}

/// A file that is being made, gone again unless it was kept.
class Draft {
 public:
  static Result<Draft> make(const fs::path& file) {
    const fs::path draft = file.string() + ".part";
    std::error_code none;
    fs::remove(draft, none);  // of one that was killed
    auto made = open_regular(draft, O_RDWR | O_CREAT | O_EXCL);
    if (!made) return made.error();
    return Draft(draft, file);
  }
  Draft(Draft&& other) noexcept : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)) {}
  Draft& operator=(Draft&&) = delete;
  ~Draft() {
    if (path_.empty()) return;
    std::error_code none;
    for (const std::size_t i : {0U, 1U, 2U}) fs::remove(database_file(path_, i), none);
  }
  const fs::path& path() const { return path_; }

  /// To the disk, and there to its name.
  Result<void> keep() {
    const auto written = open_regular(path_, O_RDONLY);
    if (!written) return written.error();
    if (::fsync(written->get()) != 0) return cannot("write", path_, "the disk failed");
    std::error_code failed;
    fs::rename(path_, file_, failed);
    if (failed) return cannot("make", file_, failed.message());
    path_.clear();
    sync_directory(fs::absolute(file_).parent_path());
    return {};
  }

 private:
  Draft(fs::path draft, fs::path file) : path_(std::move(draft)), file_(std::move(file)) {}
  fs::path path_;
  fs::path file_;
};

Result<void> copy_pages(Database& from, Database& to) {
  sqlite3_backup* copy = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (copy == nullptr) return to.error(sqlite3_errcode(to.handle()));
  const int copied = sqlite3_backup_step(copy, -1);
  const int finished = sqlite3_backup_finish(copy);
  if (copied != SQLITE_DONE) return to.error(copied);
  return finished == SQLITE_OK ? Result<void>() : to.error(finished);
}

/// Every page of it, and that its log ends with what its rows say.
Result<void> check_whole(Database& database) {
  auto check = database.prepare("PRAGMA integrity_check(1)");
  if (!check) return check.error();
  if (const int code = (*check)->step(); code != SQLITE_ROW) return database.error(code);
  if ((*check)->text(0) != "ok") {
    return Error(ErrorCode::conflict, fmt::format("it is damaged: {}", (*check)->text(0)));
  }
  const auto holes = database.query_integer("SELECT coalesce(max(seq), 0) - count(*) FROM changes");
  if (!holes) return holes.error();
  if (*holes == 0) return {};
  return Error(ErrorCode::conflict, fmt::format("it is damaged: {} changes are missing in its log", *holes));
}

Result<Copied> describe(Database& database) {
  const auto keys = database.query_integer("SELECT count(*) FROM access_keys WHERE deleted = 0");
  if (!keys) return keys.error();
  const auto end = log_end(database);
  if (!end) return end.error();
  return Copied{static_cast<std::uint64_t>(*keys), end->position, {}};
}

/// What SQLite cannot read of a file that nobody else has: pages that are missing or broken.
Error as_damage(const Error& error) {
  return error.code == ErrorCode::unavailable ? Error(ErrorCode::conflict, "it is damaged: " + error.internal) : error;
}

Error with_name(const Error& error, const fs::path& file) {
  return Error(error.code, file.string() + ": " + error.detail, error.internal);
}

/// Reads in one transaction: a page that is committed meanwhile is not in the copy.
Result<void> copy_live(const fs::path& database, const fs::path& draft) {
  Witness witness(database);
  if (auto aside = set_foreign_wal_aside(database, witness); !aside) return aside;
  auto from = Database::open(database, Access::read, store_busy_timeout_ms);
  if (!from) return from.error();
  // The -wal of a store that was killed is for its next start to judge.
  sqlite3_db_config(from->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  auto to = Database::open(draft, Access::write, store_busy_timeout_ms);
  if (!to) return to.error();
  return copy_pages(*from, *to);
}

/// A backup is one file, and may be where nothing can be written.
Result<void> copy_backup(const fs::path& backup, const fs::path& draft) {
  std::error_code none;
  if (const auto size = fs::file_size(database_file(backup, 1), none); !none && size > 0) {
    return Error(ErrorCode::conflict,
                 fmt::format("{0}-wal is beside it: that is a database in use and no backup, and {0} "
                             "alone is not all of it; make one with `latchkey store backup`",
                             backup.string()));
  }
  std::error_code failed;
  fs::copy_file(backup, draft, fs::copy_options::overwrite_existing, failed);
  return failed ? Result<void>(cannot("copy", backup, failed.message())) : Result<void>();
}

/// What the draft holds, once it is known to be whole and for us.
Result<Copied> examine(Database& draft) {
  if (auto ours = check_ours(draft); !ours) return ours.error();
  if (auto whole = check_whole(draft); !whole) return whole.error();
  return describe(draft);
}

Result<void> put_aside(const fs::path& database, const fs::path& kept) {
  for (const std::size_t i : {0U, 1U, 2U}) {
    std::error_code failed;
    if (!fs::exists(database_file(database, i), failed)) continue;
    fs::rename(database_file(database, i), database_file(kept, i), failed);
    if (failed) return cannot("rename", database_file(database, i), failed.message());
  }
  return {};
}

}  // namespace

Result<Copied> back_up_sqlite(const fs::path& database, const fs::path& file) {
  if (std::error_code none; fs::exists(fs::symlink_status(file, none))) {
    return Error(ErrorCode::conflict, file.string() + " is there already");
  }
  auto draft = Draft::make(file);
  if (!draft) return draft.error();
  if (auto copied = copy_live(database, draft->path()); !copied) return with_name(copied.error(), database);
  auto done = [&]() -> Result<Copied> {
    auto copy = Database::open(draft->path(), Access::write, store_busy_timeout_ms);
    return copy ? examine(*copy) : copy.error();
  }();
  if (!done) return with_name(done.error(), database);
  if (auto kept = draft->keep(); !kept) return kept.error();
  return done;
}

Result<Copied> restore_sqlite(const fs::path& backup, const fs::path& database, std::string_view suffix,
                              Random& random) {
  if (auto ours = check_header(backup); !ours) return ours.error();
  auto draft = Draft::make(database);
  if (!draft) return draft.error();
  if (auto copied = copy_backup(backup, draft->path()); !copied) return copied.error();
  auto done = [&]() -> Result<Copied> {
    auto copy = Database::open(draft->path(), Access::write, store_busy_timeout_ms);
    if (!copy) return copy.error();
    if (auto found = examine(*copy); !found) return found;
    if (auto begun = begin_epoch(*copy, random); !begun) return begun.error();
    return describe(*copy);
  }();
  if (!done) return with_name(as_damage(done.error()), backup);
  std::error_code none;
  if (fs::exists(database, none)) done->kept = unused_name(database.string() + std::string(suffix));
  if (auto aside = put_aside(database, done->kept); !aside) return aside.error();
  if (auto kept = draft->keep(); !kept) return kept.error();
  return done;
}

}  // namespace latchkey::store
