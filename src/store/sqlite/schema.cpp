#include "store/sqlite/schema.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/log.hpp"
#include "store/sqlite/audit.hpp"
#include "store/sqlite/moved.hpp"
#include "store/sqlite/triggers.hpp"

namespace latchkey::store {
namespace {

constexpr const char* tables = R"sql(
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE access_keys (
  key_id TEXT PRIMARY KEY NOT NULL
    CHECK (key_id GLOB '????????-????-7???-[89ab]???-????????????' AND key_id NOT GLOB '*[^0-9a-f-]*'),
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128 AND user_id NOT GLOB '*[^!-~]*'),
  role TEXT NOT NULL DEFAULT 'user' CHECK (role = 'user'),
  name TEXT NOT NULL DEFAULT '' CHECK (length(CAST(name AS BLOB)) <= 128),
  metadata TEXT NOT NULL DEFAULT '{}'
    CHECK (json_valid(metadata) AND json_type(metadata) = 'object' AND length(CAST(metadata AS BLOB)) <= 4096),
  requests_per_minute INTEGER NOT NULL CHECK (requests_per_minute BETWEEN 1 AND 1000000),
  issued_at INTEGER NOT NULL CHECK (issued_at >= 0),                -- seconds: the token's iat
  previous_issued_at INTEGER CHECK (previous_issued_at >= 0),
  previous_valid_until INTEGER CHECK (previous_valid_until >= 0),   -- milliseconds, as all times below
  expires_at INTEGER CHECK (expires_at >= 0),                       -- NULL: never
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
  created_at INTEGER NOT NULL CHECK (created_at >= 0),
  updated_at INTEGER NOT NULL CHECK (updated_at >= 0),
  updated_by TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  command TEXT,
  CHECK ((previous_issued_at IS NULL) = (previous_valid_until IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX access_keys_user ON access_keys (user_id, key_id);
CREATE INDEX access_keys_live ON access_keys (key_id, expires_at) WHERE deleted = 0 AND disabled = 0;
CREATE INDEX access_keys_disabled ON access_keys (key_id) WHERE deleted = 0 AND disabled = 1;
CREATE INDEX access_keys_deleted ON access_keys (key_id) WHERE deleted = 1;
CREATE INDEX access_keys_named ON access_keys (key_id, name) WHERE name <> '';

CREATE TABLE signing_keys (
  kid TEXT PRIMARY KEY NOT NULL CHECK (length(kid) BETWEEN 1 AND 128),
  public_key BLOB NOT NULL CHECK (length(public_key) = 32),
  state TEXT NOT NULL CHECK (state IN ('signing', 'verifying', 'retired')),
  created_at INTEGER NOT NULL CHECK (created_at >= 0),
  updated_at INTEGER NOT NULL CHECK (updated_at >= 0),
  updated_by TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  command TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  nonce INTEGER NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  key_id TEXT, user_id TEXT, role TEXT, name TEXT, metadata TEXT, requests_per_minute INTEGER, issued_at INTEGER,
  previous_issued_at INTEGER, previous_valid_until INTEGER, expires_at INTEGER, disabled INTEGER, deleted INTEGER,
  created_at INTEGER NOT NULL,
  kid TEXT, public_key BLOB, state TEXT,
  CHECK ((key_id IS NULL) <> (kid IS NULL))
) STRICT;

CREATE TABLE idempotency (
  actor TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request_digest BLOB NOT NULL,
  key_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  kid TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (actor, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_at);

CREATE TRIGGER changes_are_dense BEFORE INSERT ON changes
  WHEN EXISTS (SELECT 1 FROM changes WHERE seq = NEW.seq)
  BEGIN SELECT RAISE(ABORT, 'changes is append-only'); END;
CREATE TRIGGER changes_follow AFTER INSERT ON changes
  WHEN NEW.seq < 1 OR (NEW.seq > 1 AND NOT EXISTS (SELECT 1 FROM changes WHERE seq = NEW.seq - 1))
  BEGIN SELECT RAISE(ABORT, 'changes is dense'); END;
CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN SELECT RAISE(ABORT, 'changes is append-only'); END;
CREATE TRIGGER changes_remain BEFORE DELETE ON changes BEGIN SELECT RAISE(ABORT, 'changes is append-only'); END;
CREATE TRIGGER access_keys_keep_id BEFORE UPDATE ON access_keys WHEN NEW.key_id <> OLD.key_id
  BEGIN SELECT RAISE(ABORT, 'key_id cannot change'); END;
CREATE TRIGGER signing_keys_keep_id BEFORE UPDATE ON signing_keys WHEN NEW.kid <> OLD.kid
  BEGIN SELECT RAISE(ABORT, 'kid cannot change'); END;
)sql";

Epoch new_epoch(Random& random) {
  std::array<std::uint8_t, 8> bytes{};
  random.fill(bytes);
  Epoch epoch;
  std::memcpy(&epoch.value, bytes.data(), bytes.size());
  return epoch;
}

std::string to_hex(Epoch epoch) { return fmt::format("{:016x}", epoch.value); }

Result<void> to_schema_1(Database& database, Random& random) {
  const std::string rest = triggers_of_schema_1() + fmt::format(
                                                        "INSERT INTO meta (name, value) VALUES ('epoch', '{}'); PRAGMA "
                                                        "application_id = {};",
                                                        to_hex(new_epoch(random)), application_id);
  if (auto made = database.execute(tables); !made) return made;
  return database.execute(rest.c_str());
}

Result<void> to_schema_2(Database& database, Random&) {
  return database.execute("INSERT INTO meta (name, value) VALUES ('readers', '2 1')");
}

constexpr const char* tables_of_schema_3 = R"sql(
CREATE TABLE plans (
  name TEXT PRIMARY KEY NOT NULL CHECK (length(name) BETWEEN 1 AND 32 AND name NOT GLOB '*[^a-z0-9-]*'),
  description TEXT NOT NULL DEFAULT '' CHECK (length(CAST(description AS BLOB)) <= 512),
  limits TEXT NOT NULL DEFAULT '[]'
    CHECK (json_valid(limits) AND json_type(limits) = 'array' AND length(CAST(limits AS BLOB)) <= 4096),
  metadata TEXT NOT NULL DEFAULT '{}'
    CHECK (json_valid(metadata) AND json_type(metadata) = 'object' AND length(CAST(metadata AS BLOB)) <= 4096),
  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
  created_at INTEGER NOT NULL CHECK (created_at >= 0),
  updated_at INTEGER NOT NULL CHECK (updated_at >= 0),
  updated_by TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  command TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  user_id TEXT PRIMARY KEY NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128 AND user_id NOT GLOB '*[^!-~]*'),
  plan TEXT CHECK (length(plan) BETWEEN 1 AND 32 AND plan NOT GLOB '*[^a-z0-9-]*'),
  limits TEXT NOT NULL DEFAULT '[]'
    CHECK (json_valid(limits) AND json_type(limits) = 'array' AND length(CAST(limits AS BLOB)) <= 4096),
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  metadata TEXT NOT NULL DEFAULT '{}'
    CHECK (json_valid(metadata) AND json_type(metadata) = 'object' AND length(CAST(metadata AS BLOB)) <= 4096),
  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
  created_at INTEGER NOT NULL CHECK (created_at >= 0),
  updated_at INTEGER NOT NULL CHECK (updated_at >= 0),
  updated_by TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  command TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX users_plan ON users (plan, user_id) WHERE plan IS NOT NULL;

ALTER TABLE access_keys ADD COLUMN plan TEXT CHECK (length(plan) BETWEEN 1 AND 32 AND plan NOT GLOB '*[^a-z0-9-]*');
ALTER TABLE access_keys ADD COLUMN limits TEXT CHECK (limits IS NULL
  OR (json_valid(limits) AND json_type(limits) = 'array' AND length(CAST(limits AS BLOB)) <= 4096));
ALTER TABLE changes ADD COLUMN kind TEXT;
ALTER TABLE changes ADD COLUMN plan TEXT;
ALTER TABLE changes ADD COLUMN limits TEXT;
ALTER TABLE changes ADD COLUMN description TEXT;

CREATE TRIGGER plans_keep_id BEFORE UPDATE ON plans WHEN NEW.name <> OLD.name
  BEGIN SELECT RAISE(ABORT, 'name cannot change'); END;
CREATE TRIGGER users_keep_id BEFORE UPDATE ON users WHEN NEW.user_id <> OLD.user_id
  BEGIN SELECT RAISE(ABORT, 'user_id cannot change'); END;
UPDATE meta SET value = '3 2' WHERE name = 'readers';
)sql";

constexpr const char* indexes_of_schema_3 = R"sql(
CREATE INDEX access_keys_plan ON access_keys (plan, key_id) WHERE plan IS NOT NULL AND deleted = 0;
CREATE INDEX access_keys_inheriting ON access_keys (user_id, key_id)
  WHERE deleted = 0 AND requests_per_minute IS NULL AND limits IS NULL;
)sql";

/// A rule of a table is made looser, which changes nothing of how rows are stored: SQLite's own way to do so is to
/// change the text that it keeps of the table (https://sqlite.org/lang_altertable.html, section 7).
Result<void> loosen(Database& database, std::string_view table, std::string_view before, std::string_view after) {
  auto statement = database.prepare(
      "UPDATE sqlite_schema SET sql = replace(sql, ?1, ?2) WHERE type = 'table' AND name = ?3 AND instr(sql, ?1) > 0");
  if (!statement) return statement.error();
  (*statement)->bind(1, before).bind(2, after).bind(3, table);
  if (auto ran = database.run(**statement); !ran) return ran;
  if (sqlite3_changes(database.handle()) == 1) return {};
  return Error(ErrorCode::conflict, "the database cannot be brought up",
               fmt::format("the table {} is not as Latchkey made it: it has no \"{}\"", table, before));
}

Result<void> loosen_rules(Database& database) {
  auto loosened = loosen(database, "changes", "CHECK ((key_id IS NULL) <> (kid IS NULL))",
                         "CHECK ((key_id IS NOT NULL) + (kid IS NOT NULL) + (kind IS NOT NULL) = 1)");
  if (!loosened) return loosened;
  return loosen(database, "access_keys", "requests_per_minute INTEGER NOT NULL CHECK",
                "requests_per_minute INTEGER CHECK");
}

// What the text says holds once the connection reads it anew, which writable_schema=RESET makes it do; others do so
// since the steps before have changed the schema's number.
Result<void> to_schema_3(Database& database, Random&) {
  if (auto made = database.execute(tables_of_schema_3); !made) return made;
  if (auto open = database.execute("PRAGMA writable_schema = ON"); !open) return open;
  const auto loosened = loosen_rules(database);
  const auto closed = database.execute("PRAGMA writable_schema = RESET");
  if (!loosened || !closed) return loosened ? closed : loosened;
  if (auto made = database.execute(indexes_of_schema_3); !made) return made;
  return database.execute(triggers_of_schema_3().c_str());
}

// The word of `readers` becomes one of this schema and goes on to mean what it meant.
constexpr const char* columns_of_schema_4 = R"sql(
ALTER TABLE access_keys ADD COLUMN scopes TEXT CHECK (scopes IS NULL
  OR (json_valid(scopes) AND json_type(scopes) = 'array' AND length(CAST(scopes AS BLOB)) <= 4096));
ALTER TABLE access_keys ADD COLUMN networks TEXT CHECK (networks IS NULL
  OR (json_valid(networks) AND json_type(networks) = 'array' AND length(CAST(networks AS BLOB)) <= 4096));
ALTER TABLE access_keys ADD COLUMN labels TEXT CHECK (labels IS NULL
  OR (json_valid(labels) AND json_type(labels) = 'object' AND length(CAST(labels AS BLOB)) <= 4096));
CREATE INDEX access_keys_labelled ON access_keys (key_id) WHERE labels IS NOT NULL;
ALTER TABLE plans ADD COLUMN scopes TEXT CHECK (scopes IS NULL
  OR (json_valid(scopes) AND json_type(scopes) = 'array' AND length(CAST(scopes AS BLOB)) <= 4096));
ALTER TABLE plans ADD COLUMN networks TEXT CHECK (networks IS NULL
  OR (json_valid(networks) AND json_type(networks) = 'array' AND length(CAST(networks AS BLOB)) <= 4096));
ALTER TABLE changes ADD COLUMN scopes TEXT;
ALTER TABLE changes ADD COLUMN networks TEXT;
ALTER TABLE changes ADD COLUMN labels TEXT;
UPDATE meta SET value = iif(value = '3 3', '4 3', '4 2') WHERE name = 'readers';
)sql";

Result<void> to_schema_4(Database& database, Random&) {
  if (auto added = database.execute(columns_of_schema_4); !added) return added;
  return database.execute(triggers_of_schema_4().c_str());
}

constexpr const char* rule_of_user_ids = "CHECK (length(user_id) BETWEEN 1 AND 128 AND user_id NOT GLOB '*[^!-~]*')";
constexpr const char* rule_of_any_script = "CHECK (length(CAST(user_id AS BLOB)) BETWEEN 1 AND 128)";

/// User ids in any script; rows that are deleted can go; what an erasure may change in the log.
Result<void> to_schema_5(Database& database, Random&) {
  if (auto open = database.execute("PRAGMA writable_schema = ON"); !open) return open;
  auto loosened = loosen(database, "access_keys", rule_of_user_ids, rule_of_any_script);
  if (loosened) loosened = loosen(database, "users", rule_of_user_ids, rule_of_any_script);
  const auto closed = database.execute("PRAGMA writable_schema = RESET");
  if (!loosened || !closed) return loosened ? closed : loosened;
  if (auto made = database.execute(triggers_of_schema_5().c_str()); !made) return made;
  return database.execute("UPDATE meta SET value = '5' || substr(value, 2) WHERE name = 'readers'");
}

constexpr const char* tables_of_schema_6 = R"sql(
CREATE TABLE notices (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  key_id TEXT NOT NULL,    -- '' for a user's
  user_id TEXT NOT NULL,
  about INTEGER NOT NULL,  -- the expiry in milliseconds, or the seq of the change
  UNIQUE (about, kind, key_id, user_id)
) STRICT;
CREATE TABLE notice_marks (
  name TEXT PRIMARY KEY NOT NULL,
  value INTEGER NOT NULL,
  owner TEXT NOT NULL,     -- the process that may move the mark
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
UPDATE meta SET value = '6' || substr(value, 2) WHERE name = 'readers';
)sql";

Result<void> to_schema_6(Database& database, Random&) {
  if (auto made = database.execute(tables_of_schema_6); !made) return made;
  return database.execute(triggers_of_schema_6().c_str());
}

/// The step to schema n is at n - 1.
constexpr std::array<Result<void> (*)(Database&, Random&), schema_version> steps{to_schema_1, to_schema_2, to_schema_3,
                                                                                 to_schema_4, to_schema_5, to_schema_6};

Result<void> take_steps_from(Database& database, Random& random, std::int64_t found) {
  if (found == schema_version) return {};
  for (auto step = static_cast<std::size_t>(found); step < steps.size(); ++step) {
    if (auto taken = steps[step](database, random); !taken) return taken;
  }
  if (found != 0) log_info("the database was brought from schema {} to {}", found, schema_version);
  return database.execute(fmt::format("PRAGMA user_version = {}", schema_version).c_str());
}

/// The schema that the file has.
Result<std::int64_t> found_schema(Database& database) {
  const auto version = database.query_integer("PRAGMA user_version");
  if (!version) return version.error();
  const auto application = database.query_integer("PRAGMA application_id");
  if (!application) return application.error();
  if (*application != application_id || *version < 1) {
    return Error(ErrorCode::conflict, "the database file is not Latchkey's",
                 "another application_id or no user_version in the file");
  }
  if (*version > schema_version) {
    return Error(ErrorCode::conflict, "the database was written by a newer release of Latchkey",
                 fmt::format("user_version {}, this release knows {}", *version, schema_version));
  }
  return *version;
}

Result<bool> has_tables(Database& database) {
  const auto objects = database.query_integer("SELECT count(*) FROM sqlite_schema");
  if (!objects) return objects.error();
  return *objects != 0;
}

Result<void> migrate_locked(Database& database, Random& random) {
  const auto made = has_tables(database);
  if (!made) return made.error();
  const auto found = *made ? found_schema(database) : Result<std::int64_t>(0);
  if (!found) return found.error();
  if (*made) {
    if (auto here = check_not_moved(database); !here) return here;
  }
  if (auto taken = take_steps_from(database, random, *found); !taken) return taken;
  return make_audit_tables(database);
}

Result<void> adopt_locked(Database& database, Random& random) {
  const auto made = has_tables(database);
  if (!made) return made.error();
  if (!*made) return Error(ErrorCode::unavailable, "the database is empty", "the file that came has no tables");
  return migrate_locked(database, random);
}

Result<void> locked(Database& database, Random& random, Result<void> (*work)(Database&, Random&)) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
  auto migrated = work(database, random);
  if (auto ended = database.execute(migrated ? "COMMIT" : "ROLLBACK"); migrated && !ended) return ended;
  // Last, so that a file which is not ours keeps its journal mode. It stays in the file.
  return migrated ? database.execute("PRAGMA journal_mode=WAL") : migrated;
}

}  // namespace

Result<void> check_ours(Database& database) {
  const auto found = found_schema(database);
  return found ? check_not_moved(database) : found.error();
}

Result<void> migrate(Database& database, Random& random) { return locked(database, random, migrate_locked); }

Result<void> adopt(Database& database, Random& random) { return locked(database, random, adopt_locked); }

Result<Epoch> begin_epoch(Database& database, Random& random) {
  const Epoch epoch = new_epoch(random);
  const std::string renew = fmt::format("UPDATE meta SET value = '{}' WHERE name = 'epoch'", to_hex(epoch));
  if (auto renewed = database.execute(renew.c_str()); !renewed) return renewed.error();
  return epoch;
}

namespace {

/// Of the file as the connection's transaction sees it: another process may have brought it up.
Result<std::int64_t> schema_now(Database& database) { return database.query_integer("PRAGMA user_version"); }

}  // namespace

Result<void> check_writable(Database& database) {
  const auto schema = schema_now(database);
  return schema ? check_writable(*schema) : schema.error();
}

Result<void> check_readable(Database& database) {
  const auto schema = schema_now(database);
  if (!schema) return schema.error();
  if (*schema <= schema_version) return check_readable(*schema, "");
  auto readers = database.prepare("SELECT value FROM meta WHERE name = 'readers'");
  if (!readers) return readers.error();
  const bool said = (*readers)->step() == SQLITE_ROW;
  return check_readable(*schema, said ? (*readers)->text(0) : std::string_view());
}

}  // namespace latchkey::store
