#include "feed/snapshot_file/format.hpp"

#include <boost/crc.hpp>
#include <istream>

#include "feed/byte_reader.hpp"
#include "feed/record.hpp"

namespace latchkey::feed::snapshot_file {
namespace {

constexpr std::string_view magic = "LKVIEW1\n";
constexpr std::size_t header_bytes = 8 + 8 + 8 + 4;
constexpr std::size_t record_head_bytes = 8;
constexpr std::size_t max_boot_id_bytes = 64;

std::uint32_t crc_of(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

void put_fixed32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift);
}

std::uint32_t fixed32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return value;
}

std::uint64_t hash_of(std::string_view source) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a: tells mistakes apart, nobody's attack
  for (const char c : source) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::string record(std::string_view payload) {
  std::string out;
  put_fixed32(out, static_cast<std::uint32_t>(payload.size()));
  put_fixed32(out, crc_of(payload));
  out += payload;
  return out;
}

bool read_exactly(std::istream& file, std::string& bytes, std::size_t size) {
  bytes.resize(size);
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  return static_cast<std::size_t>(file.gcount()) == size;
}

/// The next payload; false at the end and at whatever is cut or broken.
bool read_record(std::istream& file, std::string& payload) {
  std::string head;
  if (!read_exactly(file, head, record_head_bytes)) return false;
  const std::size_t size = fixed32_at(head, 0);
  return size > 0 && size <= max_payload_bytes && read_exactly(file, payload, size) &&
         crc_of(payload) == fixed32_at(head, 4);
}

std::optional<Mark> read_mark(std::string_view payload, Epoch epoch) {
  ByteReader in(payload.substr(1));
  Mark mark;
  mark.end.position = {epoch, in.take_fixed64()};
  mark.end.nonce = {in.take_fixed64()};
  mark.as_of.nanos = static_cast<std::int64_t>(in.take_fixed64());
  mark.boot_id = in.take_text(max_boot_id_bytes);
  return in.at_end() ? std::optional(mark) : std::nullopt;
}

/// Drops rows: to see whether they can be read.
struct Nowhere final : SnapshotSink {
  void access_key(const AccessKey&) override {}
  void signing_key(const SigningKey&, Version) override {}
  void plan(const Plan&) override {}
  void user(const User&) override {}
};

}  // namespace

std::string header(std::string_view source, Epoch epoch) {
  std::string out(magic);
  put_fixed64(out, hash_of(source));
  put_fixed64(out, epoch.value);
  put_fixed32(out, crc_of(out));
  return out;
}

std::string rows_record(std::string_view rows) { return record("r" + std::string(rows)); }

std::string mark_record(const Mark& mark) {
  std::string payload = "p";
  put_fixed64(payload, mark.end.position.seq.value);
  put_fixed64(payload, mark.end.nonce.value);
  put_fixed64(payload, static_cast<std::uint64_t>(mark.as_of.nanos));
  put_text(payload, std::string_view(mark.boot_id).substr(0, max_boot_id_bytes));
  return record(payload);
}

std::optional<Usable> examine(std::istream& file, std::string_view source, std::string& why) {
  const auto refuse = [&](const char* text) {
    why = text;
    return std::nullopt;
  };
  std::string bytes;
  if (!read_exactly(file, bytes, header_bytes) || !bytes.starts_with(magic)) return refuse("it is not a snapshot");
  const std::string_view said(bytes);
  if (crc_of(said.substr(0, header_bytes - 4)) != fixed32_at(said, header_bytes - 4)) return refuse("it is damaged");
  ByteReader in(said.substr(magic.size()));
  if (in.take_fixed64() != hash_of(source)) return refuse("it is a copy of another store");
  const Epoch epoch{in.take_fixed64()};
  Usable usable;
  std::uint64_t read = header_bytes;
  for (std::string payload; read_record(file, payload);) {
    read += record_head_bytes + payload.size();
    if (payload[0] == 'p') {
      const auto mark = read_mark(payload, epoch);
      if (!mark) break;
      usable = {*mark, read};
    } else {
      Nowhere nowhere;
      if (payload[0] != 'r' || !decode_rows(std::string_view(payload).substr(1), nowhere)) break;
    }
  }
  if (usable.bytes == 0) return refuse("it is cut or damaged");
  return usable;
}

bool hand_over(std::istream& file, const Usable& usable, SnapshotSink& sink) {
  file.clear();
  file.seekg(static_cast<std::streamoff>(header_bytes));
  std::uint64_t read = header_bytes;
  for (std::string payload; read < usable.bytes;) {
    if (!read_record(file, payload)) return false;
    read += record_head_bytes + payload.size();
    if (payload[0] == 'r' && !decode_rows(std::string_view(payload).substr(1), sink)) return false;
  }
  return true;
}

}  // namespace latchkey::feed::snapshot_file
