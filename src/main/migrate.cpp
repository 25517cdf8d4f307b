#include <fmt/format.h>

#include <filesystem>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "cli/data_dir.hpp"
#include "main/services.hpp"
#include "store/postgres/import.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace latchkey {
namespace {

constexpr std::string_view sqlite_prefix = "sqlite:";

Error invalid(std::string why) { return Error(ErrorCode::invalid, std::move(why)); }

}  // namespace

Result<std::string> migrate_store(const std::string& from, const std::string& to) {
  if (!from.starts_with(sqlite_prefix)) return invalid("--from must be sqlite:FILE");
  if (!to.starts_with("postgres")) return invalid("--to must be a postgresql:// URL");
  std::filesystem::path file = from.substr(sqlite_prefix.size());
  if (std::filesystem::is_directory(file)) file = cli::DataDir::at(file).database();
  if (!std::filesystem::is_regular_file(file)) return Error(ErrorCode::not_found, "there is no file " + file.string());
  // What is written to the old store from now on would be lost; the source itself is asked again at the end.
  const auto claim = cli::DataDir::at(file.parent_path()).lock("keys");
  if (!claim && claim.error().code == ErrorCode::conflict) return claim.error();
  SystemClock clock;
  SystemRandom random;
  const auto source = store::open_sqlite(file, clock, random);
  if (!source) return source.error();
  const auto moved = store::import_into_postgres(**source, to, clock.wall());
  if (!moved) return moved.error();
  return fmt::format(
      "moved {} access keys, {} signing keys and {} changes; the store is at {}.\n"
      "The private signing keys stay in {}: a service on the new store needs that directory.",
      moved->access_keys, moved->signing_keys, moved->changes, moved->position.to_string(),
      (file.parent_path() / "secrets").string());
}

}  // namespace latchkey
