#include "store/sqlite/rows.hpp"

#include <charconv>
#include <cstring>

namespace latchkey::store {
namespace {

Error broken_row(std::string_view table, std::string_view id) {
  return Error(ErrorCode::internal, "the database holds a broken row", std::string(table) + " row " + std::string(id));
}

std::optional<UnixMillis> optional_time(const Statement& row, int column) {
  const auto millis = row.optional_integer(column);
  return millis ? std::optional<UnixMillis>(UnixMillis{*millis}) : std::nullopt;
}

std::optional<std::int64_t> millis_of(const std::optional<UnixMillis>& time) {
  return time ? std::optional<std::int64_t>(time->count) : std::nullopt;
}

bool read_public_key(std::string_view bytes, Ed25519PublicKey& key) {
  if (bytes.size() != key.size()) return false;
  std::memcpy(key.data(), bytes.data(), key.size());
  return true;
}

Result<SigningKey> read_changed_signing_key(const Statement& row) {
  SigningKey key;
  key.kid = row.text(16);
  const auto state = parse_signing_key_state(row.text(18));
  if (!state || !read_public_key(row.blob(17), key.public_key)) return broken_row("changes", key.kid);
  key.state = *state;
  key.created_at = {row.integer(11)};
  key.updated_at = {row.integer(12)};
  return key;
}

}  // namespace

namespace {

Result<AccessKey> read_key(const Statement& row, const KeyTermsColumns& terms) {
  AccessKey key;
  const auto id = KeyId::parse(row.text(0));
  const auto requests_per_minute = row.optional_integer(4);
  if (!id || (requests_per_minute && !check_requests_per_minute(*requests_per_minute))) {
    return broken_row("access_keys", row.text(0));
  }
  key.id = *id;
  key.user_id = row.text(1);
  key.name = row.text(2);
  key.metadata = row.text(3);
  key.requests_per_minute.reset();
  if (requests_per_minute) key.requests_per_minute = static_cast<std::uint32_t>(*requests_per_minute);
  key.issued_at = {row.integer(5)};
  if (!row.is_null(6)) key.previous = PreviousIssue{{row.integer(6)}, {row.integer(7)}};
  key.expires_at = optional_time(row, 8);
  key.disabled = row.integer(9) != 0;
  key.deleted = row.integer(10) != 0;
  key.created_at = {row.integer(11)};
  key.updated_at = {row.integer(12)};
  key.updated_by = row.text(13);
  key.version = Version{static_cast<std::uint64_t>(row.integer(14))};
  read_terms(row, terms, key);
  return key;
}

}  // namespace

Result<AccessKey> read_access_key(const Statement& row) { return read_key(row, key_terms_at); }

Result<SigningKey> read_signing_key(const Statement& row) {
  SigningKey key;
  key.kid = row.text(0);
  const auto state = parse_signing_key_state(row.text(2));
  if (!state || !read_public_key(row.blob(1), key.public_key)) return broken_row("signing_keys", key.kid);
  key.state = *state;
  key.created_at = {row.integer(3)};
  key.updated_at = {row.integer(4)};
  return key;
}

Result<Change> read_change(const Statement& row) {
  Change change;
  change.at = {row.integer(12)};
  change.actor = row.text(13);
  change.seq = Seq{static_cast<std::uint64_t>(row.integer(14))};
  change.action = row.text(15);
  change.nonce = Nonce{static_cast<std::uint64_t>(row.integer(19))};
  if (!row.is_null(change_kind_at)) {
    const std::string_view kind = row.text(change_kind_at);
    if (kind == "plan") {
      change.row = read_plan(row, changed_plan_at);
    } else if (kind == "user") {
      change.row = read_user(row, changed_user_at);
    } else {
      return broken_row("changes", std::to_string(change.seq.value));
    }
  } else if (row.is_null(16)) {
    auto key = read_key(row, changed_key_terms_at);
    if (!key) return key.error();
    change.row = std::move(*key);
  } else {
    auto key = read_changed_signing_key(row);
    if (!key) return key.error();
    change.row = std::move(*key);
  }
  return change;
}

KeyTexts texts_of(const AccessKey& key) {
  KeyTexts texts{key.id.to_string(), std::nullopt, access_rule_texts(key), labels_text(key)};
  if (key.limits) texts.limits = to_json(std::span(*key.limits));
  return texts;
}

void bind_access_key(Statement& statement, const KeyTexts& texts, const AccessKey& key, std::string_view action) {
  std::optional<std::int64_t> previous_issued_at;
  std::optional<std::int64_t> previous_valid_until;
  if (key.previous) {
    previous_issued_at = key.previous->issued_at.seconds;
    previous_valid_until = key.previous->valid_until.count;
  }
  statement.bind(1, texts.id).bind(2, key.user_id).bind(3, to_string(key.role)).bind(4, key.name).bind(5, key.metadata);
  statement.bind(6, key.requests_per_minute ? std::optional<std::int64_t>(*key.requests_per_minute) : std::nullopt);
  statement.bind(7, key.issued_at.seconds);
  statement.bind(8, previous_issued_at).bind(9, previous_valid_until).bind(10, millis_of(key.expires_at));
  statement.bind(11, std::int64_t{key.disabled}).bind(12, std::int64_t{key.deleted}).bind(13, key.created_at.count);
  statement.bind(14, key.updated_at.count).bind(15, key.updated_by);
  statement.bind_or_null(16, key.plan).bind_or_null(17, texts.limits);
  statement.bind_or_null(18, texts.rules.scopes).bind_or_null(19, texts.rules.networks);
  statement.bind_or_null(20, texts.labels).bind(21, action);
}

Result<Epoch> parse_epoch(std::string_view text) {
  Epoch epoch;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), epoch.value, 16);
  if (text.size() != 16 || error != std::errc() || stop != text.data() + text.size()) {
    return Error(ErrorCode::internal, "the database has no epoch", "meta row epoch");
  }
  return epoch;
}

}  // namespace latchkey::store
