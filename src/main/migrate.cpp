#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "cli/data_dir.hpp"
#include "main/services.hpp"
#include "store/postgres/import.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/file_header.hpp"
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

/// What is written to the old store from now on would be lost; the source itself is asked again at the end.
Result<std::vector<cli::RunLock>> keep_services_away(const std::set<fs::path>& data_dirs) {
  std::vector<cli::RunLock> locks;
  for (const auto& path : data_dirs) {
    auto lock = cli::DataDir::at(path).lock("keys");
    if (!lock && lock.error().code == ErrorCode::conflict) return lock.error();
    if (lock) locks.push_back(std::move(*lock));
  }
  return locks;
}

std::string secrets_in(const std::set<fs::path>& data_dirs) {
  std::string found;
  for (const auto& path : data_dirs) {
    const auto secrets = cli::DataDir::at(path).secrets();
    if (fs::is_directory(secrets)) found += (found.empty() ? "" : " or ") + secrets.string();
  }
  return found.empty() ? "the directory secrets of its service" : found;
}

}  // namespace

Result<std::string> migrate_store(const std::string& from, const cli::Target& to) {
  if (!from.starts_with(sqlite_prefix) || from == sqlite_prefix) return invalid("--from must be sqlite:FILE");
  if (const auto read = store::check_postgres_url(to.url); !read) return invalid(to.place + ": " + read.error().detail);
  fs::path file = from.substr(sqlite_prefix.size());
  if (fs::is_directory(file)) file = cli::DataDir::at(file).database();
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
  const auto moved = store::import_into_postgres(**source, to.url, clock.wall());
  if (!moved) return moved.error();
  return fmt::format(
      "moved {} access keys, {} signing keys and {} changes; the store is at {}.\n"
      "The private signing keys stay in {}: a service on the new store needs that directory.",
      moved->access_keys, moved->signing_keys, moved->changes, moved->position.to_string(), secrets_in(data_dirs));
}

}  // namespace latchkey
