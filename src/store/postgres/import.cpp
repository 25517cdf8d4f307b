#include "store/postgres/import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/json.hpp"
#include "base/random.hpp"
#include "key/change_kind.hpp"
#include "store/postgres/audit.hpp"
#include "store/postgres/queries.hpp"
#include "store/postgres/rows.hpp"
#include "store/postgres/schema.hpp"

namespace latchkey::store {
namespace postgres {
namespace {

Error conflict(std::string why) { return Error(ErrorCode::conflict, std::move(why)); }

constexpr std::string_view access_key_columns =
    "key_id, user_id, role, name, metadata, requests_per_minute, issued_at, previous_issued_at, previous_valid_until,"
    " expires_at, disabled, deleted, created_at, updated_at, updated_by, version, plan, limits,"
    " scopes, networks, labels";
constexpr std::string_view signing_keys_columns = "kid, public_key, state, created_at, updated_at, updated_by, version";
constexpr std::string_view changes_columns =
    "seq, nonce, at, actor, action, key_id, user_id, role, name, metadata, requests_per_minute, issued_at,"
    " previous_issued_at, previous_valid_until, expires_at, disabled, deleted, created_at, kid, public_key, state,"
    " kind, plan, limits, description, scopes, networks, labels";
constexpr std::string_view audit_columns = "seq, address, user_agent, reason, role, application";
constexpr std::string_view plans_columns =
    "name, description, limits, metadata, deleted, created_at, updated_at, updated_by, version, scopes, networks";
constexpr std::string_view users_columns =
    "user_id, plan, limits, disabled, metadata, deleted, created_at, updated_at, updated_by, version";
constexpr std::string_view metadata = " metadata,";

/// Rows as a JSON array of objects, which json_populate_recordset() takes apart by the table's own columns. Metadata
/// travels as a string: PostgreSQL would unescape an object within, and has no text for \u0000.
class Batch {
 public:
  Batch& row() {
    text_ += text_.empty() ? "[{" : ",{";
    first_ = true;
    return *this;
  }
  Batch& end() {
    text_ += '}';
    return *this;
  }
  Batch& raw(std::string_view name, std::string_view value) {
    text_ += fmt::format("{}\"{}\":{}", first_ ? "" : ",", name, value);
    first_ = false;
    return *this;
  }
  Batch& text(std::string_view name, std::string_view value) {
    std::string quoted;
    append_json_string(quoted, value);
    return raw(name, quoted);
  }
  Batch& number(std::string_view name, std::int64_t value) { return raw(name, std::to_string(value)); }

  Result<void> insert(Connection& connection, std::string_view table, std::string_view columns) const {
    if (text_.empty()) return {};
    std::string values(columns);
    if (const auto at = values.find(metadata); at != std::string::npos) {
      values.replace(at, metadata.size(), " (metadata #>> '{}')::json,");
    }
    const auto sql = fmt::format("INSERT INTO {0} ({1}) SELECT {2} FROM json_populate_recordset(NULL::{0}, $1)", table,
                                 columns, values);
    const auto inserted = connection.query(sql, Parameters().add(text_ + ']'));
    return inserted ? Result<void>() : inserted.error();
  }

 private:
  std::string text_;
  bool first_ = true;
};

void add_access_rules(Batch& batch, const AccessRuleTexts& rules) {
  if (rules.scopes) batch.raw("scopes", *rules.scopes);
  if (rules.networks) batch.raw("networks", *rules.networks);
}

/// What a key's row and its change have in common.
void add_key(Batch& batch, const AccessKey& key) {
  batch.text("key_id", key.id.to_string()).text("user_id", key.user_id).text("role", to_string(key.role));
  batch.text("name", key.name).text("metadata", key.metadata);
  if (key.requests_per_minute) batch.number("requests_per_minute", *key.requests_per_minute);
  batch.number("issued_at", key.issued_at.seconds).number("created_at", key.created_at.count);
  batch.raw("disabled", key.disabled ? "true" : "false").raw("deleted", key.deleted ? "true" : "false");
  if (key.expires_at) batch.number("expires_at", key.expires_at->count);
  if (key.plan) batch.text("plan", *key.plan);
  if (key.limits) batch.raw("limits", to_json(std::span(*key.limits)));
  add_access_rules(batch, access_rule_texts(key));
  if (const auto labels = labels_text(key)) batch.raw("labels", *labels);
  if (!key.previous) return;
  batch.number("previous_issued_at", key.previous->issued_at.seconds);
  batch.number("previous_valid_until", key.previous->valid_until.count);
}

void add_signing_key(Batch& batch, const SigningKey& key) {
  std::string hex = "\\x";
  for (const auto byte : key.public_key) hex += fmt::format("{:02x}", byte);
  batch.text("kid", key.kid).text("public_key", hex).text("state", to_string(key.state));
  batch.number("created_at", key.created_at.count);
}

void add_plan(Batch& batch, const Plan& plan) {
  batch.text("name", plan.name).text("description", plan.description).text("metadata", plan.metadata);
  batch.raw("limits", to_json(std::span(plan.limits))).raw("deleted", plan.deleted ? "true" : "false");
  add_access_rules(batch, access_rule_texts(plan));
  batch.number("created_at", plan.created_at.count);
}

void add_user(Batch& batch, const User& user) {
  batch.text("user_id", user.user_id).text("metadata", user.metadata).raw("limits", to_json(std::span(user.limits)));
  if (user.plan) batch.text("plan", *user.plan);
  batch.raw("disabled", user.disabled ? "true" : "false").raw("deleted", user.deleted ? "true" : "false");
  batch.number("created_at", user.created_at.count);
}

/// What a plan's or a user's row has besides.
template <class Row>
void add_last_change(Batch& batch, const Row& row) {
  batch.number("updated_at", row.updated_at.count).text("updated_by", row.updated_by);
  batch.number("version", static_cast<std::int64_t>(row.version.value));
}

/// The author of a signing key's row, and the change that made it so: the log alone remembers.
struct LastChange {
  Seq seq;
  std::string actor;
};

class Import {
 public:
  Import(KeyStore& source, Connection& connection, UnixMillis now)
      : source_(source), connection_(connection), now_(now) {}

  Result<Imported> run(const std::function<Result<void>()>& before_commit) {
    if (auto begun = connection_.execute("BEGIN; SELECT FROM log_lock FOR UPDATE;"
                                         // Replicas that follow the source may live on for a while, unknown here.
                                         "UPDATE registry SET whole_in = ''");
        !begun)
      return begun.error();
    if (auto empty = check_empty(); !empty) return empty.error();
    // The rows and the log come as they are: nothing is to be recorded.
    const std::string tables[] = {"access_keys", "signing_keys", "plans", "users", "changes"};
    for (const auto& table : tables) {
      auto quiet = connection_.execute("ALTER TABLE " + table + " DISABLE TRIGGER USER");
      if (!quiet) return quiet.error();
    }
    if (auto copied = copy(); !copied) return copied.error();
    if (auto loud = connection_.execute("SELECT enable_triggers();"
                                        "ALTER TABLE changes ENABLE ALWAYS TRIGGER by_hand");
        !loud) {
      return loud.error();
    }
    if (auto linked = link(); !linked) return linked.error();
    if (auto same = verify(); !same) return same.error();
    if (auto ready = before_commit(); !ready) return ready.error();
    if (auto committed = connection_.query("COMMIT"); !committed) return committed.error();
    return done_;
  }

 private:
  Result<std::uint64_t> count(std::string_view what) {
    const auto rows = connection_.query(fmt::format("SELECT {}", what));
    if (!rows) return rows.error();
    return static_cast<std::uint64_t>((*rows)[0].integer(0));
  }

  Result<void> check_empty() {
    const auto rows = count(
        "(SELECT count(*) FROM access_keys) + (SELECT count(*) FROM signing_keys) + (SELECT count(*) FROM plans) + "
        "(SELECT count(*) FROM users) + "
        "(SELECT count(*) FROM changes)");
    if (!rows) return rows.error();
    return *rows == 0 ? Result<void>() : conflict("the target is not empty");
  }

  Result<void> copy() {
    const auto start = source_.position();
    if (!start) return start.error();
    if (auto copied = copy_changes(); !copied) return copied;
    if (auto copied = copy_access_keys(); !copied) return copied;
    if (auto copied = copy_signing_keys(); !copied) return copied;
    if (auto copied = copy_terms(); !copied) return copied;
    const auto end = source_.position();
    if (!end) return end.error();
    if (*end != *start || Seq{done_.changes} != end->seq)
      return conflict("the source changed meanwhile: stop its services");
    return {};
  }

  Result<void> copy_changes() {
    for (;;) {
      const auto page = source_.audit({.after = Seq{done_.changes}, .limit = 1000});
      if (!page) return page.error();
      if (page->entries.empty()) return {};
      Batch batch, notes;
      for (const auto& [change, before, note] : page->entries) {
        add_note(notes, change.seq, note);
        if (change.seq != Seq{++done_.changes}) return conflict("the source's log has a gap");
        batch.row()
            .number("seq", static_cast<std::int64_t>(change.seq.value))
            .number("nonce", static_cast<std::int64_t>(change.nonce.value));
        batch.number("at", change.at.count).text("actor", change.actor).text("action", change.action);
        add_row(batch, change);
        batch.end();
      }
      if (auto inserted = batch.insert(connection_, "changes", changes_columns); !inserted) return inserted;
      if (auto inserted = notes.insert(connection_, "audit", audit_columns); !inserted) return inserted;
    }
  }

  static void add_note(Batch& notes, Seq seq, const AuditNote& note) {
    if (note == AuditNote()) return;
    notes.row().number("seq", static_cast<std::int64_t>(seq.value));
    const std::pair<std::string_view, const std::string&> texts[] = {{"address", note.address},
                                                                     {"user_agent", note.user_agent},
                                                                     {"reason", note.reason},
                                                                     {"role", note.role},
                                                                     {"application", note.application}};
    for (const auto& [name, text] : texts) {
      if (!text.empty()) notes.text(name, text);
    }
    notes.end();
  }

  /// The links are made anew: they are of the columns as they stand here.
  Result<void> link() {
    SystemRandom random;
    for (;;) {
      const auto more = link_changes(connection_, random);
      if (!more) return more.error();
      if (!*more) return {};
    }
  }

  void add_row(Batch& batch, const Change& change) {
    newest_kind_ = std::max(newest_kind_, kind_of(change));
    if (const auto* key = std::get_if<AccessKey>(&change.row)) {
      add_key(batch, *key);
    } else if (const auto* signing_key = std::get_if<SigningKey>(&change.row)) {
      add_signing_key(batch, *signing_key);
      last_changes_[signing_key->kid] = {change.seq, change.actor};
    } else if (const auto* plan = std::get_if<Plan>(&change.row)) {
      add_plan(batch.text("kind", "plan"), *plan);
      plans_[plan->name] = *plan;
    } else {
      const auto& user = std::get<User>(change.row);
      add_user(batch.text("kind", "user"), user);
      users_[user.user_id] = user;
    }
  }

  // Their rows are those of their last changes: nothing else ever makes one.
  Result<void> copy_terms() {
    Batch plans, users;
    for (const auto& [name, plan] : plans_) {
      add_plan(plans.row(), plan);
      add_last_change(plans, plan);
      plans.end();
    }
    for (const auto& [user_id, user] : users_) {
      add_user(users.row(), user);
      add_last_change(users, user);
      users.end();
    }
    if (auto inserted = plans.insert(connection_, "plans", plans_columns); !inserted) return inserted;
    if (auto inserted = users.insert(connection_, "users", users_columns); !inserted) return inserted;
    if (newest_kind_ == oldest_change_kind) return {};
    return connection_.execute(fmt::format("SELECT only_readers_of({})", newest_kind_));
  }

  Result<void> copy_access_keys() {
    KeyPageRequest request{{}, 500, {}, now_};
    for (;;) {
      const auto page = source_.list_keys(request);
      if (!page) return page.error();
      Batch batch;
      for (const auto& key : page->keys) {
        add_key(batch.row(), key);
        batch.number("updated_at", key.updated_at.count).text("updated_by", key.updated_by);
        batch.number("version", static_cast<std::int64_t>(key.version.value)).end();
        request.after = key.id;
      }
      done_.access_keys += page->keys.size();
      if (auto inserted = batch.insert(connection_, "access_keys", access_key_columns); !inserted) return inserted;
      if (!page->more) return {};
    }
  }

  Result<void> copy_signing_keys() {
    const auto keys = source_.signing_keys();
    if (!keys) return keys.error();
    Batch batch;
    for (const auto& key : *keys) {
      const auto& last = last_changes_[key.kid];
      add_signing_key(batch.row(), key);
      batch.number("updated_at", key.updated_at.count).text("updated_by", last.actor);
      batch.number("version", static_cast<std::int64_t>(last.seq.value)).end();
    }
    done_.signing_keys = keys->size();
    return batch.insert(connection_, "signing_keys", signing_keys_columns);
  }

  Result<void> verify() {
    const auto position = postgres::position(connection_);
    if (!position) return position.error();
    done_.position = *position;
    const std::pair<const char*, std::uint64_t> expected[] = {{"count(*) FROM access_keys", done_.access_keys},
                                                              {"count(*) FROM signing_keys", done_.signing_keys},
                                                              {"count(*) FROM changes", done_.changes},
                                                              {"coalesce(max(seq), 0) FROM changes", done_.changes}};
    for (const auto& [what, number] : expected) {
      const auto found = count(what);
      if (!found) return found.error();
      if (*found != number) return conflict(fmt::format("{} is {} where {} was due", what, *found, number));
    }
    return {};
  }

  KeyStore& source_;
  Connection& connection_;
  const UnixMillis now_;
  Imported done_;
  std::map<std::string, LastChange> last_changes_;  // by kid
  std::map<std::string, Plan> plans_;               // by name, as of their last changes
  std::map<std::string, User> users_;               // by user id, likewise
  std::uint32_t newest_kind_ = oldest_change_kind;  // of all changes of the log
};

}  // namespace
}  // namespace postgres

Result<Imported> import_into_postgres(KeyStore& source, std::string_view text, UnixMillis now,
                                      const std::function<Result<void>()>& before_commit) {
  const auto url = postgres::Url::parse(text);
  if (!url) return url.error();
  auto connection = postgres::Connection::open(*url, postgres::Server::primary);
  if (!connection) return connection.error();
  if (auto migrated = postgres::migrate(**connection); !migrated) return migrated.error();
  return postgres::Import(source, **connection, now)
      .run(before_commit);  // what was not committed ends with the connection
}

}  // namespace latchkey::store
