#include "store/postgres/rows.hpp"

#include <cstring>

namespace latchkey::store::postgres {
namespace {

Error broken_row(std::string_view table, std::string_view id) {
  return Error(ErrorCode::internal, "the database holds a broken row", std::string(table) + " row " + std::string(id));
}

std::optional<UnixMillis> optional_time(const Row& row, int column) {
  const auto millis = row.optional_integer(column);
  return millis ? std::optional<UnixMillis>(UnixMillis{*millis}) : std::nullopt;
}

std::optional<std::int64_t> millis_of(const std::optional<UnixMillis>& time) {
  return time ? std::optional<std::int64_t>(time->count) : std::nullopt;
}

bool read_public_key(const std::string& bytes, Ed25519PublicKey& key) {
  if (bytes.size() != key.size()) return false;
  std::memcpy(key.data(), bytes.data(), key.size());
  return true;
}

Result<SigningKey> read_changed_signing_key(const Row& row, int at) {
  SigningKey key;
  key.kid = row.text(at + 16);
  const auto state = parse_signing_key_state(row.text(at + 18));
  if (!state || !read_public_key(row.bytes(at + 17), key.public_key)) return broken_row("changes", key.kid);
  key.state = *state;
  key.created_at = {row.integer(at + 11)};
  key.updated_at = {row.integer(at + 12)};
  return key;
}

}  // namespace

namespace {

Result<AccessKey> read_key(const Row& row, int at, const KeyTermsColumns& terms) {
  AccessKey key;
  const auto id = KeyId::parse(row.text(at));
  const auto requests_per_minute = row.optional_integer(at + 4);
  if (!id || (requests_per_minute && !check_requests_per_minute(*requests_per_minute))) {
    return broken_row("access_keys", row.text(at));
  }
  key.id = *id;
  key.user_id = row.text(at + 1);
  key.name = row.text(at + 2);
  key.metadata = row.text(at + 3);
  key.requests_per_minute.reset();
  if (requests_per_minute) key.requests_per_minute = static_cast<std::uint32_t>(*requests_per_minute);
  key.issued_at = {row.integer(at + 5)};
  if (!row.is_null(at + 6)) key.previous = PreviousIssue{{row.integer(at + 6)}, {row.integer(at + 7)}};
  key.expires_at = optional_time(row, at + 8);
  key.disabled = row.boolean(at + 9);
  key.deleted = row.boolean(at + 10);
  key.created_at = {row.integer(at + 11)};
  key.updated_at = {row.integer(at + 12)};
  key.updated_by = row.text(at + 13);
  key.version = Version{static_cast<std::uint64_t>(row.integer(at + 14))};
  read_terms(row, terms, key);
  return key;
}

PlanColumns moved_by(PlanColumns columns, int at) {
  for (int* column :
       {&columns.name, &columns.description, &columns.limits, &columns.metadata, &columns.deleted, &columns.created_at,
        &columns.updated_at, &columns.updated_by, &columns.version, &columns.scopes, &columns.networks}) {
    *column += at;
  }
  return columns;
}

KeyTermsColumns moved_by(KeyTermsColumns columns, int at) {
  for (int* column : {&columns.plan, &columns.limits, &columns.scopes, &columns.networks, &columns.labels}) {
    *column += at;
  }
  return columns;
}

UserColumns moved_by(UserColumns columns, int at) {
  for (int* column :
       {&columns.user_id, &columns.plan, &columns.limits, &columns.disabled, &columns.metadata, &columns.deleted,
        &columns.created_at, &columns.updated_at, &columns.updated_by, &columns.version}) {
    *column += at;
  }
  return columns;
}

}  // namespace

Result<AccessKey> read_access_key(const Row& row) { return read_key(row, 0, key_terms_at); }

Result<SigningKey> read_signing_key(const Row& row) {
  SigningKey key;
  key.kid = row.text(0);
  const auto state = parse_signing_key_state(row.text(2));
  if (!state || !read_public_key(row.bytes(1), key.public_key)) return broken_row("signing_keys", key.kid);
  key.state = *state;
  key.created_at = {row.integer(3)};
  key.updated_at = {row.integer(4)};
  return key;
}

Result<Change> read_change(const Row& row, int at) {
  Change change;
  change.at = {row.integer(at + 12)};
  change.actor = row.text(at + 13);
  change.seq = Seq{static_cast<std::uint64_t>(row.integer(at + change_seq_column))};
  change.action = row.text(at + 15);
  change.nonce = Nonce{static_cast<std::uint64_t>(row.integer(at + 19))};
  if (!row.is_null(at + change_kind_at)) {
    const std::string_view kind = row.text(at + change_kind_at);
    if (kind == "plan") {
      change.row = read_plan(row, moved_by(changed_plan_at, at));
    } else if (kind == "user") {
      change.row = read_user(row, moved_by(changed_user_at, at));
    } else {
      return broken_row("changes", std::to_string(change.seq.value));
    }
  } else if (row.is_null(at + 16)) {
    auto key = read_key(row, at, moved_by(changed_key_terms_at, at));
    if (!key) return key.error();
    change.row = std::move(*key);
  } else {
    auto key = read_changed_signing_key(row, at);
    if (!key) return key.error();
    change.row = std::move(*key);
  }
  return change;
}

Parameters key_parameters(const AccessKey& key, std::string_view action) {
  std::optional<std::int64_t> previous_issued_at;
  std::optional<std::int64_t> previous_valid_until;
  if (key.previous) {
    previous_issued_at = key.previous->issued_at.seconds;
    previous_valid_until = key.previous->valid_until.count;
  }
  Parameters values;
  values.add(key.id.to_string()).add(key.user_id).add(to_string(key.role)).add(key.name).add(key.metadata);
  values.add(key.requests_per_minute ? std::optional<std::int64_t>(*key.requests_per_minute) : std::nullopt);
  values.add(key.issued_at.seconds);
  values.add(previous_issued_at).add(previous_valid_until).add(millis_of(key.expires_at));
  values.add_flag(key.disabled).add_flag(key.deleted).add(key.created_at.count).add(key.updated_at.count);
  values.add(key.updated_by).add_or_null(key.plan);
  values.add_or_null(key.limits ? std::optional<std::string>(to_json(std::span(*key.limits))) : std::nullopt);
  const AccessRuleTexts rules = access_rule_texts(key);
  values.add_or_null(rules.scopes).add_or_null(rules.networks).add_or_null(labels_text(key));
  values.add(action);
  return values;
}

std::string_view as_bytes(const Ed25519PublicKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

}  // namespace latchkey::store::postgres
