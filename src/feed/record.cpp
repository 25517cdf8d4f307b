#include "feed/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "feed/byte_reader.hpp"
#include "key/change_kind.hpp"

namespace latchkey::feed {
namespace {

constexpr char first_version = 1;
constexpr char newest_version = 3;
enum Flag : std::uint8_t {
  disabled_flag = 1,
  deleted_flag = 2,
  previous_flag = 4,
  expires_flag = 8,
  plan_flag = 16,
  limits_flag = 32,
  rules_flag = 64,
  key_flags = 127,
  plan_flags = deleted_flag | rules_flag,
  user_flags = disabled_flag | deleted_flag | plan_flag,
};
/// Of what a row with rules_flag has.
enum Rules : std::uint8_t { scopes_rule = 1, networks_rule = 2, labels_rule = 4 };
constexpr std::size_t max_kid_bytes = 128;

Error unknown_version(std::uint8_t version) {
  if (version < first_version) return Error(ErrorCode::internal, "a record of the feed is broken");
  return Error(ErrorCode::internal, fmt::format("a record of the feed is of a newer release (version {}, this release "
                                                "knows {}): upgrade this service",
                                                version, int{newest_version}));
}

Error broken() { return Error(ErrorCode::internal, "a record of the feed is broken"); }

bool is_known(std::uint8_t version) { return version >= first_version && version <= newest_version; }

template <class Row>
char version_of(const Row& row) {
  const std::uint32_t kind = kind_of(row);
  return kind < 3 ? first_version : static_cast<char>(kind - 1);
}

template <class Flags>
int flag_if(bool is, Flags flag) {
  return is ? int{flag} : 0;
}
void put_flags(std::string& out, int flags) { out += static_cast<char>(flags); }

bool has_rules(const AccessKey& key) { return has_access_rules(key) || !key.labels.empty(); }

void put_rules(std::string& out, const std::optional<ScopeList>& scopes, const std::optional<NetworkList>& networks,
               const Labels& labels) {
  put_flags(out, flag_if(scopes.has_value(), scopes_rule) | flag_if(networks.has_value(), networks_rule) |
                     flag_if(!labels.empty(), labels_rule));
  if (scopes) put_text(out, scopes_json(*scopes));
  if (networks) put_text(out, networks_json(*networks));
  if (!labels.empty()) put_text(out, labels_json(labels));
}

/// What all rows but a signing key's end with.
template <class Row>
void put_end(std::string& out, const Row& row, Version version) {
  put_signed(out, row.created_at.count);
  put_signed(out, row.updated_at.count);
  put_text(out, std::string_view(row.updated_by).substr(0, max_label_bytes));
  put_unsigned(out, version.value);
}

void put_row(std::string& out, const AccessKey& key, Version version) {
  out += 'k';
  out.append(reinterpret_cast<const char*>(key.id.bytes().data()), key.id.bytes().size());
  put_text(out, key.user_id);
  put_text(out, key.name);
  put_text(out, key.metadata);
  put_unsigned(out, key.requests_per_minute.value_or(0));
  put_signed(out, key.issued_at.seconds);
  put_flags(out, flag_if(key.disabled, disabled_flag) | flag_if(key.deleted, deleted_flag) |
                     flag_if(key.previous.has_value(), previous_flag) |
                     flag_if(key.expires_at.has_value(), expires_flag) | flag_if(key.plan.has_value(), plan_flag) |
                     flag_if(key.limits.has_value(), limits_flag) | flag_if(has_rules(key), rules_flag));
  if (key.previous) {
    put_signed(out, key.previous->issued_at.seconds);
    put_signed(out, key.previous->valid_until.count);
  }
  if (key.expires_at) put_signed(out, key.expires_at->count);
  if (key.plan) put_text(out, *key.plan);
  if (key.limits) put_text(out, to_json(std::span(*key.limits)));
  if (has_rules(key)) put_rules(out, key.scopes, key.networks, key.labels);
  put_end(out, key, version);
}

void put_row(std::string& out, const Plan& plan, Version version) {
  out += 'p';
  put_text(out, plan.name);
  put_text(out, plan.description);
  put_text(out, to_json(std::span(plan.limits)));
  put_text(out, plan.metadata);
  put_flags(out, flag_if(plan.deleted, deleted_flag) | flag_if(has_access_rules(plan), rules_flag));
  if (has_access_rules(plan)) put_rules(out, plan.scopes, plan.networks, {});
  put_end(out, plan, version);
}

void put_row(std::string& out, const User& user, Version version) {
  out += 'u';
  put_text(out, user.user_id);
  put_text(out, to_json(std::span(user.limits)));
  put_text(out, user.metadata);
  put_flags(out, flag_if(user.disabled, disabled_flag) | flag_if(user.deleted, deleted_flag) |
                     flag_if(user.plan.has_value(), plan_flag));
  if (user.plan) put_text(out, *user.plan);
  put_end(out, user, version);
}

void put_row(std::string& out, const SigningKey& key, Version version) {
  out += 's';
  put_text(out, key.kid);
  out.append(reinterpret_cast<const char*>(key.public_key.data()), key.public_key.size());
  out += static_cast<char>(key.state);
  put_signed(out, key.created_at.count);
  put_signed(out, key.updated_at.count);
  put_unsigned(out, version.value);
}

std::optional<KeyId> take_key_id(ByteReader& in) {
  KeyId::Bytes bytes{};
  in.take_bytes(bytes);
  if (bytes[6] >> 4 != 7 || bytes[8] >> 6 != 2) return std::nullopt;  // a UUID of version 7, variant 10
  return KeyId(bytes);
}

template <class Row>
void take_end(ByteReader& in, Row& row) {
  row.created_at.count = in.take_signed();
  row.updated_at.count = in.take_signed();
  row.updated_by = in.take_text(max_label_bytes);
  row.version = {in.take_unsigned()};
}

/// The flags of a row of a kind that has `known` ones; nullopt: others.
std::optional<std::uint8_t> take_flags(ByteReader& in, std::uint8_t known) {
  const std::uint8_t flags = in.take_byte();
  return (flags & ~known) == 0 ? std::optional(flags) : std::nullopt;
}

std::optional<LimitList> take_limits(ByteReader& in) {
  const auto limits = parse_limits(in.take_text(max_limits_bytes));
  return limits ? std::optional(*limits) : std::nullopt;
}

/// What the byte says is there is read into `place`; false: it is not what it should be.
template <class Value>
bool take_rule(ByteReader& in, bool is_there, std::size_t most, Result<Value> (*parse)(std::string_view),
               std::optional<Value>& place) {
  if (!is_there) return true;
  auto value = parse(in.take_text(most));
  if (value) place = std::move(*value);
  return value.has_value();
}

/// Where the flags say that there are any; false: they are broken, or say nothing.
bool take_rules(ByteReader& in, std::uint8_t flags, std::uint8_t known, std::optional<ScopeList>& scopes,
                std::optional<NetworkList>& networks, std::optional<Labels>& labels) {
  if ((flags & rules_flag) == 0) return true;
  const std::uint8_t has = in.take_byte();
  if (has == 0 || (has & ~known) != 0) return false;
  return take_rule(in, (has & scopes_rule) != 0, max_scopes_json_bytes, parse_scopes, scopes) &&
         take_rule(in, (has & networks_rule) != 0, max_networks_json_bytes, parse_networks, networks) &&
         take_rule(in, (has & labels_rule) != 0, max_labels_json_bytes, parse_labels, labels);
}

std::optional<AccessKey> take_access_key(ByteReader& in) {
  AccessKey key;
  const auto id = take_key_id(in);
  if (!id) return std::nullopt;
  key.id = *id;
  key.user_id = in.take_text(max_user_id_bytes);
  key.name = in.take_text(max_name_bytes);
  key.metadata = in.take_text(max_metadata_bytes);
  const std::uint64_t requests_per_minute = in.take_unsigned();
  if (requests_per_minute > max_requests_per_minute) return std::nullopt;
  key.requests_per_minute.reset();
  if (requests_per_minute != 0) key.requests_per_minute = static_cast<std::uint32_t>(requests_per_minute);
  key.issued_at.seconds = in.take_signed();
  const auto flags = take_flags(in, key_flags);
  if (!flags) return std::nullopt;
  key.disabled = (*flags & disabled_flag) != 0;
  key.deleted = (*flags & deleted_flag) != 0;
  if ((*flags & previous_flag) != 0) {
    key.previous.emplace();
    key.previous->issued_at.seconds = in.take_signed();
    key.previous->valid_until.count = in.take_signed();
  }
  if ((*flags & expires_flag) != 0) key.expires_at = UnixMillis{in.take_signed()};
  if ((*flags & plan_flag) != 0) key.plan = in.take_text(max_limit_name_bytes);
  if ((*flags & limits_flag) != 0) {
    key.limits = take_limits(in);
    if (!key.limits) return std::nullopt;
  }
  std::optional<Labels> labels;
  constexpr std::uint8_t known = scopes_rule | networks_rule | labels_rule;
  if (!take_rules(in, *flags, known, key.scopes, key.networks, labels)) return std::nullopt;
  if (labels) key.labels = std::move(*labels);
  take_end(in, key);
  if (in.failed()) return std::nullopt;
  return key;
}

std::optional<Plan> take_plan(ByteReader& in) {
  Plan plan;
  plan.name = in.take_text(max_limit_name_bytes);
  plan.description = in.take_text(max_description_bytes);
  auto limits = take_limits(in);
  plan.metadata = in.take_text(max_metadata_bytes);
  const auto flags = take_flags(in, plan_flags);
  if (!limits || !flags) return std::nullopt;
  plan.limits = std::move(*limits);
  plan.deleted = (*flags & deleted_flag) != 0;
  std::optional<Labels> none;
  constexpr std::uint8_t known_rules = scopes_rule | networks_rule;
  if (!take_rules(in, *flags, known_rules, plan.scopes, plan.networks, none)) return std::nullopt;
  take_end(in, plan);
  if (in.failed()) return std::nullopt;
  return plan;
}

std::optional<User> take_user(ByteReader& in) {
  User user;
  user.user_id = in.take_text(max_user_id_bytes);
  auto limits = take_limits(in);
  user.metadata = in.take_text(max_metadata_bytes);
  const auto flags = take_flags(in, user_flags);
  if (!limits || !flags) return std::nullopt;
  user.limits = std::move(*limits);
  user.disabled = (*flags & disabled_flag) != 0;
  user.deleted = (*flags & deleted_flag) != 0;
  if ((*flags & plan_flag) != 0) user.plan = in.take_text(max_limit_name_bytes);
  take_end(in, user);
  if (in.failed()) return std::nullopt;
  return user;
}

struct VersionedSigningKey {
  SigningKey key;
  Version version;
};

std::optional<VersionedSigningKey> take_signing_key(ByteReader& in) {
  VersionedSigningKey row;
  row.key.kid = in.take_text(max_kid_bytes);
  in.take_bytes(row.key.public_key);
  const std::uint8_t state = in.take_byte();
  if (state > static_cast<std::uint8_t>(SigningKeyState::retired)) return std::nullopt;
  row.key.state = static_cast<SigningKeyState>(state);
  row.key.created_at.count = in.take_signed();
  row.key.updated_at.count = in.take_signed();
  row.version = {in.take_unsigned()};
  if (in.failed()) return std::nullopt;
  return row;
}

bool take_row(ByteReader& in, SnapshotSink& sink) {
  switch (in.take_byte()) {
    case 'k': {
      const auto key = take_access_key(in);
      if (key) sink.access_key(*key);
      return key.has_value();
    }
    case 's': {
      const auto row = take_signing_key(in);
      if (row) sink.signing_key(row->key, row->version);
      return row.has_value();
    }
    case 'p': {
      const auto plan = take_plan(in);
      if (plan) sink.plan(*plan);
      return plan.has_value();
    }
    case 'u': {
      const auto user = take_user(in);
      if (user) sink.user(*user);
      return user.has_value();
    }
    default:
      return false;
  }
}

/// Keeps the one row of a change.
struct RowOfChange final : SnapshotSink {
  explicit RowOfChange(Change& change) : change_(change) {}
  void access_key(const AccessKey& key) override { change_.row = key; }
  void signing_key(const SigningKey& key, Version) override { change_.row = key; }
  void plan(const Plan& plan) override { change_.row = plan; }
  void user(const User& user) override { change_.row = user; }
  Change& change_;
};

}  // namespace

std::string encode_change(const Change& change) {
  std::string out(1, std::visit([](const auto& row) { return version_of(row); }, change.row));
  put_fixed64(out, change.nonce.value);
  put_unsigned(out, change.seq.value);
  put_signed(out, change.at.count);
  put_text(out, std::string_view(change.actor).substr(0, max_label_bytes));
  put_text(out, std::string_view(change.action).substr(0, max_label_bytes));
  std::visit([&](const auto& row) { put_row(out, row, Version::made_by(change.seq)); }, change.row);
  return out;
}

Result<Change> decode_change(std::string_view bytes) {
  ByteReader in(bytes);
  Change change;
  if (bytes.size() > max_record_bytes) return broken();
  if (const auto version = in.take_byte(); !is_known(version)) return unknown_version(version);
  change.nonce = {in.take_fixed64()};
  change.seq = {in.take_unsigned()};
  change.at.count = in.take_signed();
  change.actor = in.take_text(max_label_bytes);
  change.action = in.take_text(max_label_bytes);
  RowOfChange sink(change);
  if (in.failed() || !take_row(in, sink) || !in.at_end()) return broken();
  return change;
}

void RowsWriter::add_row(std::string_view row, char version) {
  put_text(bytes_, row);
  bytes_[0] = std::max(bytes_[0], version);
}

void RowsWriter::add(const AccessKey& key) {
  std::string row;
  put_row(row, key, key.version);
  add_row(row, version_of(key));
}

void RowsWriter::add(const SigningKey& key, Version version) {
  std::string row;
  put_row(row, key, version);
  add_row(row, version_of(key));
}

void RowsWriter::add(const Plan& plan) {
  std::string row;
  put_row(row, plan, plan.version);
  add_row(row, version_of(plan));
}

void RowsWriter::add(const User& user) {
  std::string row;
  put_row(row, user, user.version);
  add_row(row, version_of(user));
}

void RowsWriter::add(const Change& change) {
  std::string row;
  std::visit([&](const auto& changed) { put_row(row, changed, Version::made_by(change.seq)); }, change.row);
  add_row(row, std::visit([](const auto& changed) { return version_of(changed); }, change.row));
}

std::string RowsWriter::take() { return std::exchange(bytes_, std::string(1, first_version)); }

Result<void> decode_rows(std::string_view bytes, SnapshotSink& sink) {
  ByteReader in(bytes);
  if (const auto version = in.take_byte(); !is_known(version)) return unknown_version(version);
  while (!in.at_end()) {
    const std::string_view row = in.take_text(max_record_bytes);
    ByteReader row_in(row);
    if (in.failed() || !take_row(row_in, sink) || !row_in.at_end()) return broken();
  }
  return {};
}

}  // namespace latchkey::feed
