#include "feed/record.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "feed/byte_reader.hpp"

namespace latchkey::feed {
namespace {

constexpr char record_version = 1;
enum Flag : std::uint8_t { disabled_flag = 1, deleted_flag = 2, previous_flag = 4, expires_flag = 8, all_flags = 15 };
constexpr std::size_t max_kid_bytes = 128;

Error unknown_version(std::uint8_t version) {
  if (version < record_version) return Error(ErrorCode::internal, "a record of the feed is broken");
  return Error(ErrorCode::internal, fmt::format("a record of the feed is of a newer release (version {}, this release "
                                                "knows {}): upgrade this service",
                                                version, int{record_version}));
}

Error broken() { return Error(ErrorCode::internal, "a record of the feed is broken"); }

void put_row(std::string& out, const AccessKey& key, Version version) {
  out += 'k';
  out.append(reinterpret_cast<const char*>(key.id.bytes().data()), key.id.bytes().size());
  put_text(out, key.user_id);
  put_text(out, key.name);
  put_text(out, key.metadata);
  put_unsigned(out, key.requests_per_minute);
  put_signed(out, key.issued_at.seconds);
  out += static_cast<char>((key.disabled ? disabled_flag : 0) | (key.deleted ? deleted_flag : 0) |
                           (key.previous ? previous_flag : 0) | (key.expires_at ? expires_flag : 0));
  if (key.previous) {
    put_signed(out, key.previous->issued_at.seconds);
    put_signed(out, key.previous->valid_until.count);
  }
  if (key.expires_at) put_signed(out, key.expires_at->count);
  put_signed(out, key.created_at.count);
  put_signed(out, key.updated_at.count);
  put_text(out, std::string_view(key.updated_by).substr(0, max_label_bytes));
  put_unsigned(out, version.value);
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

std::optional<AccessKey> take_access_key(ByteReader& in) {
  AccessKey key;
  const auto id = take_key_id(in);
  if (!id) return std::nullopt;
  key.id = *id;
  key.user_id = in.take_text(max_user_id_bytes);
  key.name = in.take_text(max_name_bytes);
  key.metadata = in.take_text(max_metadata_bytes);
  const std::uint64_t requests_per_minute = in.take_unsigned();
  if (requests_per_minute < min_requests_per_minute || requests_per_minute > max_requests_per_minute) {
    return std::nullopt;
  }
  key.requests_per_minute = static_cast<std::uint32_t>(requests_per_minute);
  key.issued_at.seconds = in.take_signed();
  const std::uint8_t flags = in.take_byte();
  if ((flags & ~all_flags) != 0) return std::nullopt;
  key.disabled = (flags & disabled_flag) != 0;
  key.deleted = (flags & deleted_flag) != 0;
  if ((flags & previous_flag) != 0) {
    key.previous.emplace();
    key.previous->issued_at.seconds = in.take_signed();
    key.previous->valid_until.count = in.take_signed();
  }
  if ((flags & expires_flag) != 0) key.expires_at = UnixMillis{in.take_signed()};
  key.created_at.count = in.take_signed();
  key.updated_at.count = in.take_signed();
  key.updated_by = in.take_text(max_label_bytes);
  key.version = {in.take_unsigned()};
  if (in.failed()) return std::nullopt;
  return key;
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
  const std::uint8_t kind = in.take_byte();
  if (kind == 'k') {
    const auto key = take_access_key(in);
    if (key) sink.access_key(*key);
    return key.has_value();
  }
  const auto row = kind == 's' ? take_signing_key(in) : std::nullopt;
  if (row) sink.signing_key(row->key, row->version);
  return row.has_value();
}

/// Keeps the one row of a change.
struct RowOfChange final : SnapshotSink {
  explicit RowOfChange(Change& change) : change_(change) {}
  void access_key(const AccessKey& key) override { change_.row = key; }
  void signing_key(const SigningKey& key, Version) override { change_.row = key; }
  Change& change_;
};

}  // namespace

std::string encode_change(const Change& change) {
  std::string out(1, record_version);
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
  if (const auto version = in.take_byte(); version != record_version) return unknown_version(version);
  change.nonce = {in.take_fixed64()};
  change.seq = {in.take_unsigned()};
  change.at.count = in.take_signed();
  change.actor = in.take_text(max_label_bytes);
  change.action = in.take_text(max_label_bytes);
  RowOfChange sink(change);
  if (in.failed() || !take_row(in, sink) || !in.at_end()) return broken();
  return change;
}

void RowsWriter::add_row(std::string_view row) { put_text(bytes_, row); }

void RowsWriter::add(const AccessKey& key) {
  std::string row;
  put_row(row, key, key.version);
  add_row(row);
}

void RowsWriter::add(const SigningKey& key, Version version) {
  std::string row;
  put_row(row, key, version);
  add_row(row);
}

void RowsWriter::add(const Change& change) {
  std::string row;
  std::visit([&](const auto& changed) { put_row(row, changed, Version::made_by(change.seq)); }, change.row);
  add_row(row);
}

std::string RowsWriter::take() { return std::exchange(bytes_, std::string(1, record_version)); }

Result<void> decode_rows(std::string_view bytes, SnapshotSink& sink) {
  ByteReader in(bytes);
  if (const auto version = in.take_byte(); version != record_version) return unknown_version(version);
  while (!in.at_end()) {
    const std::string_view row = in.take_text(max_record_bytes);
    ByteReader row_in(row);
    if (in.failed() || !take_row(row_in, sink) || !row_in.at_end()) return broken();
  }
  return {};
}

}  // namespace latchkey::feed
