#pragma once

// What the ledger says and how it is written: records of 48 octets, one after the other.
//
//   record  = CRC-32 of the rest, kind, 40 octets
//   set     = counter (24), slot, units, carry, carry's slot   "in this slot, at most so many units were admitted, and so
//             many of them count in that later period as well"
//   mark    = boot, boot time, window time, agreed offset, latest period time   where the clocks were
//
// A slot is a tick of a window (limit/tick_scale.hpp, of the ledger's window time) or the start of a period in seconds
// since 1970. Of two sets of one counter and slot the later one holds. Each record is true by itself, so one that cannot
// be read does not spoil those behind it.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "base/boot_id.hpp"
#include "limit/counter_id.hpp"

namespace latchkey::limit {

/// Seconds of a window, or one of the periods: what a counter counts by, as far as its slots need it.
struct LongKind {
  static constexpr std::uint32_t period_bit = std::uint32_t{1} << 31U;
  std::uint32_t code = period_bit;

  static constexpr LongKind window(std::uint32_t seconds) { return {seconds}; }
  static constexpr LongKind of(PeriodUnit period) { return {period_bit | static_cast<std::uint32_t>(period)}; }
  constexpr bool is_period() const { return (code & period_bit) != 0; }
  constexpr std::uint32_t window_seconds() const { return code; }
  bool operator==(const LongKind&) const = default;
};

struct LedgerSet {
  CounterId counter;
  LongKind kind;
  std::uint32_t slot = 0;
  std::uint32_t units = 0;
  std::uint32_t carry = 0;  // PeriodCounter::carry
  std::uint32_t carry_slot = 0;
  bool operator==(const LedgerSet&) const = default;
};

struct LedgerMark {
  std::uint64_t boot = 0;  // number_of(BootId)
  std::int64_t boot_ns = 0;
  std::int64_t window_ns = 0;
  std::int64_t agreed_offset_ms = 0;
  std::int64_t latest_period_ms = 0;
  bool operator==(const LedgerMark&) const = default;
};

std::uint64_t number_of(const BootId& boot);

constexpr std::size_t ledger_record_bytes = 48;
void append_record(std::string& to, const LedgerSet& set);
void append_record(std::string& to, const LedgerMark& mark);

/// All that a ledger says, the last word of each.
struct LedgerContent {
  struct Count {
    LongKind kind;
    std::map<std::uint32_t, std::uint32_t> units;  // by slot; those that have left the window are not there
    std::uint32_t carry = 0;                       // of the newest
    std::uint32_t carry_slot = 0;
  };
  std::unordered_map<CounterId, Count> counters;
  LedgerMark mark;
  bool has_mark = false;
  std::size_t unreadable = 0;  // records that were skipped, those of a torn end included
  std::size_t records = 0;
};

LedgerContent read_ledger(std::string_view octets);

}  // namespace latchkey::limit
