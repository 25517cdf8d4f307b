#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latchkey {

/// Names one life of one database: a new database, a restored backup marked as such or a failover gets another.
struct Epoch {
  std::uint64_t value = 0;
  auto operator<=>(const Epoch&) const = default;
};

/// The number of a change in the log: 1, 2, 3, … without a gap, in commit order, within one epoch; 0 is before the
/// first change. Seqs of different epochs have no order. At most INT64_MAX.
struct Seq {
  std::uint64_t value = 0;

  auto operator<=>(const Seq&) const = default;
  constexpr Seq& operator++() {
    ++value;
    return *this;
  }
  friend constexpr Seq operator+(Seq seq, std::uint64_t changes) { return {seq.value + changes}; }
  friend constexpr Seq operator-(Seq seq, std::uint64_t changes) { return {seq.value - changes}; }
  friend constexpr std::uint64_t operator-(Seq later, Seq earlier) { return later.value - earlier.value; }
};

/// Of a row: the seq of the change that made it what it is; 0 before it is stored. Of two versions of one row the
/// greater is the newer, within one epoch. The API shows it as the ETag.
struct Version {
  std::uint64_t value = 0;

  static constexpr Version made_by(Seq change) { return {change.value}; }
  constexpr Seq change() const { return {value}; }
  auto operator<=>(const Version&) const = default;
};

/// 64 random bits, drawn anew for each change: they tell two changes apart that have the same epoch and seq in two
/// histories. Only equality means anything. 0 stands for "no change": of seq 0.
struct Nonce {
  std::uint64_t value = 0;
  bool operator==(const Nonce&) const = default;
};

/// Where in the change log: the last change seen. Text form "<epoch, 16 lower-case hex digits>.<seq, decimal>", e.g.
/// "00c0ffee00c0ffee.42". Positions of different epochs have no order: compare `epoch` first, then `seq`.
struct Position {
  Epoch epoch;
  Seq seq;

  static std::optional<Position> parse(std::string_view text);
  std::string to_string() const;
  bool operator==(const Position&) const = default;
};

}  // namespace latchkey
