// `latchkey store backup` and `latchkey store restore`.

#include <fmt/format.h>

#include <ctime>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "data_dir/data_dir.hpp"
#include "main/services.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/backup.hpp"

namespace latchkey {
namespace {

namespace fs = std::filesystem;

/// Its own tools copy a server; what they are called with is all that is special.
Error use_postgres_tools(std::string_view store, std::string_view how) {
  return Error(ErrorCode::conflict, fmt::format("the store is {}: {} (docs/operations.md, \"Backup and restore\")",
                                                store::postgres_place(store), how));
}

std::string in_file_name(UnixMillis now) {
  const std::time_t seconds = now.count / 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format(".before-restore-{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

/// Where the database is a link, the file it leads to, which is where its -wal is.
fs::path real_file(const fs::path& database) {
  std::error_code none;
  return fs::is_symlink(database, none) ? fs::canonical(database, none) : database;
}

}  // namespace

Result<std::string> back_up_store(const config::Settings& settings, const std::string& file) {
  if (settings.store != "sqlite") {
    return use_postgres_tools(settings.store, fmt::format("run pg_dump --format=custom --file={} URL", file));
  }
  const auto data = data_dir::DataDir::at(settings.data_dir);
  if (std::error_code none; !fs::exists(data.database(), none)) {
    return Error(ErrorCode::not_found, fmt::format("there is no store at {}", data.database().string()));
  }
  const auto done = store::back_up_sqlite(real_file(data.database()), file);
  if (!done) return done.error();
  return fmt::format(
      "{} holds {} access keys, as of {}. It is whole: every page and the log were checked.\n"
      "Keep {} with it: without the private signing keys no new token can be signed for the old ones.",
      file, done->access_keys, done->position.to_string(), data.signing_keys().string());
}

Result<std::string> restore_store(const config::Settings& settings, const std::string& file) {
  if (settings.store != "sqlite") {
    return use_postgres_tools(
        settings.store,
        fmt::format("stop the services, then run createdb and pg_restore --exit-on-error --dbname=URL {} "
                    "into the new, empty database",
                    file));
  }
  auto data = data_dir::DataDir::open_or_create(settings.data_dir);
  if (!data) return data.error();
  const auto locks = data->lock_all();
  if (!locks) return Error(locks.error().code, locks.error().detail + ": stop it first", locks.error().internal);
  SystemClock clock;
  SystemRandom random;
  const auto done = store::restore_sqlite(file, real_file(data->database()), in_file_name(clock.wall()), random);
  if (!done) return done.error();
  const std::string kept =
      done->kept.empty() ? "" : fmt::format("What was there is kept at {}.\n", done->kept.string());
  return fmt::format(
      "restored {} access keys; the store is at {}, in a new epoch.\n{}"
      "Start `latchkey keys`, then the relays and replicas: each loads anew.",
      done->access_keys, done->position.to_string(), kept);
}

}  // namespace latchkey
