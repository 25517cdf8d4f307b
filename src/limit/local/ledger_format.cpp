#include "limit/local/ledger_format.hpp"

#include <openssl/sha.h>

#include <array>
#include <boost/crc.hpp>
#include <cstring>
#include <type_traits>

#include "limit/buckets.hpp"

namespace latchkey::limit {
namespace {

constexpr std::uint32_t mark_kind = 0xffff'ffff;

/// In the machine's order of octets, as all of state/ is: it never leaves the machine.
struct Record {
  std::uint32_t crc = 0;
  std::uint32_t kind = 0;
  std::array<std::uint8_t, 40> body{};

  std::uint32_t sum() const {
    boost::crc_32_type crc32;
    crc32.process_bytes(&kind, sizeof(Record) - sizeof crc);
    return crc32.checksum();
  }
};
static_assert(sizeof(Record) == ledger_record_bytes && std::is_trivially_copyable_v<Record>);

struct SetBody {
  OwnerId::Bytes owner;
  std::uint64_t limit;
  std::uint32_t slot;
  std::uint32_t units;
  std::uint32_t carry;
  std::uint32_t carry_slot;
};
static_assert(sizeof(SetBody) == 40 && sizeof(LedgerMark) == 40);

template <class Body>
void append(std::string& to, std::uint32_t kind, const Body& body) {
  Record record;
  record.kind = kind;
  std::memcpy(record.body.data(), &body, sizeof body);
  record.crc = record.sum();
  to.append(reinterpret_cast<const char*>(&record), sizeof record);
}

void apply(LedgerContent& content, const Record& record) {
  SetBody body{};
  std::memcpy(&body, record.body.data(), sizeof body);
  auto& count = content.counters[{OwnerId(body.owner), body.limit}];
  count.kind = {record.kind};
  const std::uint32_t newest = count.units.empty() ? 0 : count.units.rbegin()->first;
  const std::uint32_t kept = count.kind.is_period() ? 1 : Buckets::count;  // slots that matter, up to the newest
  if (newest >= kept && body.slot <= newest - kept) return;
  count.units[body.slot] = body.units;
  if (body.slot >= newest) {
    count.carry = body.carry;
    count.carry_slot = body.carry_slot;
  }
  while (body.slot >= kept && count.units.begin()->first <= body.slot - kept) count.units.erase(count.units.begin());
}

}  // namespace

std::uint64_t number_of(const BootId& boot) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(reinterpret_cast<const std::uint8_t*>(boot.text.data()), boot.text.size(), digest.data());
  std::uint64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return number;
}

void append_record(std::string& to, const LedgerSet& set) {
  append(to, set.kind.code,
         SetBody{set.counter.owner.bytes(), set.counter.limit, set.slot, set.units, set.carry, set.carry_slot});
}

void append_record(std::string& to, const LedgerMark& mark) { append(to, mark_kind, mark); }

LedgerContent read_ledger(std::string_view octets) {
  LedgerContent content;
  for (; octets.size() >= ledger_record_bytes; octets.remove_prefix(ledger_record_bytes)) {
    Record record;
    std::memcpy(&record, octets.data(), sizeof record);
    ++content.records;
    if (record.crc != record.sum()) {
      ++content.unreadable;
    } else if (record.kind == mark_kind) {
      std::memcpy(&content.mark, record.body.data(), sizeof content.mark);
      content.has_mark = true;
    } else {
      apply(content, record);
    }
  }
  if (!octets.empty()) ++content.unreadable;
  return content;
}

}  // namespace latchkey::limit
