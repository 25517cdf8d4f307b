#include <fmt/format.h>

#include <fstream>

#include "base/random.hpp"
#include "commands/key_ring.hpp"
#include "feed/sqlite/sqlite_feed.hpp"
#include "sample/sample_keys.hpp"
#include "scale/engine.hpp"
#include "scale/must.hpp"
#include "store/sqlite/rows.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace latchkey::bench {
namespace {

namespace fs = std::filesystem;

fs::path database_of(const fs::path& data_directory) { return data_directory / "latchkey.db"; }

std::unique_ptr<store::KeyStore> open_store(const fs::path& data_directory) {
  SystemRandom random;
  return must(store::open_sqlite(database_of(data_directory), system_clock(), random), "store");
}

/// Triggers would append to the log row by row; here both tables are written side by side.
class BulkWriter {
 public:
  explicit BulkWriter(const fs::path& data_directory)
      : db_(must(store::Database::open(database_of(data_directory), store::Access::write, 1000), "database")) {
    run("PRAGMA synchronous = OFF");
    triggers_ = take_triggers_down();
  }

  void write(std::uint64_t first, std::uint64_t end, Seq first_seq) {
    run("BEGIN");
    for (std::uint64_t number = first; number < end; ++number) put(sample_key(number), first_seq + number);
    run("COMMIT");
  }

  void finish() {
    run(triggers_.c_str());
    run("UPDATE sqlite_sequence SET seq = (SELECT max(seq) FROM changes) WHERE name = 'changes'");
    run("PRAGMA wal_checkpoint(TRUNCATE)");
  }

 private:
  void run(const char* sql) { must(db_.execute(sql), sql); }

  std::string take_triggers_down() {
    std::string making, dropping;
    {
      const auto found = must(db_.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"), "triggers");
      while (found->step() == SQLITE_ROW) {
        making += std::string(found->text(1)) + ";";
        dropping += "DROP TRIGGER " + std::string(found->text(0)) + ";";
      }
    }
    run(dropping.c_str());
    return making;
  }

  void put(const AccessKey& key, Seq seq) {
    const std::string id = key.id.to_string();
    auto row = must(db_.prepare(row_sql_), "row");
    store::bind_access_key(*row, id, key, {});
    row->bind(16, static_cast<std::int64_t>(seq.value));  // of `command`, whose place `version` takes here
    must(db_.run(*row), "row");
    auto change = must(db_.prepare(change_sql_), "change");
    change->bind(1, static_cast<std::int64_t>(seq.value))
        .bind(2, key.updated_at.count)
        .bind(3, id)
        .bind(4, key.user_id);
    change->bind(5, std::int64_t{key.requests_per_minute}).bind(6, key.issued_at.seconds);
    must(db_.run(*change), "change");
  }

  static std::string with_version() {
    std::string columns(store::key_write_columns);
    return columns.replace(columns.rfind("command"), std::string_view("command").size(), "version");
  }

  store::Database db_;
  std::string triggers_;
  const std::string row_sql_ =
      fmt::format("INSERT INTO access_keys ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", with_version());
  const std::string change_sql_ =
      "INSERT INTO changes (seq, nonce, at, actor, action, key_id, user_id, role, name, metadata, requests_per_minute,"
      " issued_at, disabled, deleted, created_at)"
      " VALUES (?1, random(), ?2, 'bench', 'create', ?3, ?4, 'user', '', '{}', ?5, ?6, 0, 0, ?2)";
};

void write_tokens(const fs::path& data_directory, const commands::KeyRing& ring, const std::string& kid,
                  std::uint64_t tokens) {
  std::ofstream file(data_directory / "access-keys");
  for (std::uint64_t number = 0; number < tokens; ++number) {
    file << must(ring.mint(sample_key(number), kid), "token").reveal() << '\n';
  }
}

}  // namespace

Engine sqlite_engine(const fs::path& data_directory) {
  return {[=] { return open_store(data_directory); },
          [=] { return std::make_unique<feed::SqliteFeed>(database_of(data_directory), system_clock()); }};
}

void fill_sqlite(const fs::path& data_directory, std::uint64_t keys, std::uint64_t tokens) {
  constexpr std::uint64_t batch = 50'000;
  fs::create_directories(data_directory);
  fs::permissions(data_directory, fs::perms::owner_all);
  Seq first_seq;
  {
    const auto store = open_store(data_directory);
    const auto ring = must(commands::KeyRing::open(data_directory, *store, system_clock().wall()), "signing keys");
    write_tokens(data_directory, *ring, must(store->signing_keys(), "signing keys").front().kid, tokens);
    first_seq = must(store->position(), "position").seq + 1;
  }
  BulkWriter writer(data_directory);
  for (std::uint64_t first = 0; first < keys; first += batch) {
    writer.write(first, std::min(first + batch, keys), first_seq);
  }
  writer.finish();
}

}  // namespace latchkey::bench
