#include <fmt/format.h>

#include <filesystem>
#include <iterator>
#include <set>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "data_dir/data_dir.hpp"
#include "main/services.hpp"
#include "store/postgres/import.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/file_header.hpp"
#include "store/sqlite/moved.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace latchkey {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view sqlite_prefix = "sqlite:";

Error invalid(std::string why) { return Error(ErrorCode::invalid, std::move(why)); }

/// The data directory that the file is in, and the one that it is linked from, which its service may run on.
std::set<fs::path> data_dirs_of(const fs::path& file) {
  return {fs::canonical(fs::absolute(file).parent_path()), fs::canonical(file).parent_path()};
}

/// What is written to the old store from now on would be lost, and a replica that goes on with it would never hear of a
/// revocation at the new one. A service that starts later finds the mark.
Result<std::vector<data_dir::RunLock>> keep_services_away(const std::set<fs::path>& data_dirs) {
  std::vector<data_dir::RunLock> locks;
  for (const auto& path : data_dirs) {
    auto all = data_dir::DataDir::at(path).lock_all();
    if (!all) return all.error();
    std::move(all->begin(), all->end(), std::back_inserter(locks));
  }
  return locks;
}

std::string secrets_in(const std::set<fs::path>& data_dirs) {
  std::string found;
  for (const auto& path : data_dirs) {
    const auto secrets = data_dir::DataDir::at(path).secrets();
    if (fs::is_directory(secrets)) found += (found.empty() ? "" : " or ") + secrets.string();
  }
  return found.empty() ? "the directory secrets of its service" : found;
}

Error unsure(const Error& error, const fs::path& file) {
  return Error(
      ErrorCode::unavailable,
      fmt::format(
          "whether the target has committed is not known ({}): {} is marked as moved. RegistrySnapshot there; if it is "
          "empty, take the mark back: sqlite3 {} \"DELETE FROM meta WHERE name = 'moved_to'\"",
          error.internal.empty() ? error.detail : error.internal, file.string(), file.string()));
}

}  // namespace

Result<std::string> migrate_store(const std::string& from, const cli::NamedUrl& to) {
  if (!from.starts_with(sqlite_prefix) || from == sqlite_prefix) return invalid("--from must be sqlite:FILE");
  if (const auto read = store::check_postgres_url(to.url); !read) return invalid(to.place + ": " + read.error().detail);
  fs::path file = from.substr(sqlite_prefix.size());
  if (fs::is_directory(file)) file = data_dir::DataDir::at(file).database();
  if (!fs::is_regular_file(file)) return Error(ErrorCode::not_found, "there is no file " + file.string());
  const auto data_dirs = data_dirs_of(file);
  const auto locks = keep_services_away(data_dirs);
  if (!locks) return locks.error();
  file = fs::canonical(file);
  if (auto ours = store::check_header(file); !ours) return ours.error();
  SystemClock clock;
  SystemRandom random;
  const auto source = store::open_sqlite(file, clock, random);
  if (!source) return source.error();
  auto old = store::Database::open(file, store::Access::write, store::store_busy_timeout_ms);
  if (!old) return old.error();
  // First the mark, then the commit there: a power cut in between leaves a store that says where it was to go, never
  // two that both go on.
  bool is_marked = false;
  const auto moved = store::import_into_postgres(**source, to.url, clock.wall(), [&]() -> Result<void> {
    auto marked = store::mark_moved(*old, store::postgres_place(to.url));
    is_marked = marked.has_value();
    return marked;
  });
  if (!moved && is_marked) return unsure(moved.error(), file);
  if (!moved) return moved.error();
  return fmt::format(
      "moved {} access keys, {} signing keys and {} changes; the store is at {}.\n"
      "{} is marked as moved: no service uses it any more.\n"
      "The private signing keys stay in {}: a service on the new store needs that directory.",
      moved->access_keys, moved->signing_keys, moved->changes, moved->position.to_string(), file.string(),
      secrets_in(data_dirs));
}

}  // namespace latchkey
