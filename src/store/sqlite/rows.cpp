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

Result<AccessKey> read_access_key(const Statement& row) {
  AccessKey key;
  const auto id = KeyId::parse(row.text(0));
  const std::int64_t requests_per_minute = row.integer(4);
  if (!id || !check_requests_per_minute(requests_per_minute)) return broken_row("access_keys", row.text(0));
  key.id = *id;
  key.user_id = row.text(1);
  key.name = row.text(2);
  key.metadata = row.text(3);
  key.requests_per_minute = static_cast<std::uint32_t>(requests_per_minute);
  key.issued_at = {row.integer(5)};
  if (!row.is_null(6)) key.previous = PreviousIssue{{row.integer(6)}, {row.integer(7)}};
  key.expires_at = optional_time(row, 8);
  key.disabled = row.integer(9) != 0;
  key.deleted = row.integer(10) != 0;
  key.created_at = {row.integer(11)};
  key.updated_at = {row.integer(12)};
  key.updated_by = row.text(13);
  key.version = Version{static_cast<std::uint64_t>(row.integer(14))};
  return key;
}

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
  if (row.is_null(16)) {
    auto key = read_access_key(row);
    if (!key) return key.error();
    change.row = std::move(*key);
  } else {
    auto key = read_changed_signing_key(row);
    if (!key) return key.error();
    change.row = std::move(*key);
  }
  return change;
}

void bind_access_key(Statement& statement, std::string_view id_text, const AccessKey& key, std::string_view action) {
  std::optional<std::int64_t> previous_issued_at;
  std::optional<std::int64_t> previous_valid_until;
  if (key.previous) {
    previous_issued_at = key.previous->issued_at.seconds;
    previous_valid_until = key.previous->valid_until.count;
  }
  statement.bind(1, id_text).bind(2, key.user_id).bind(3, to_string(key.role)).bind(4, key.name).bind(5, key.metadata);
  statement.bind(6, std::int64_t{key.requests_per_minute}).bind(7, key.issued_at.seconds);
  statement.bind(8, previous_issued_at).bind(9, previous_valid_until).bind(10, millis_of(key.expires_at));
  statement.bind(11, std::int64_t{key.disabled}).bind(12, std::int64_t{key.deleted}).bind(13, key.created_at.count);
  statement.bind(14, key.updated_at.count).bind(15, key.updated_by).bind(16, action);
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
