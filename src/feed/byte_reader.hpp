#pragma once

// The numbers and texts of feed/record.hpp.

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace latchkey::feed {

inline void put_unsigned(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>(value | 0x80U);
  out += static_cast<char>(value);
}

inline void put_signed(std::string& out, std::int64_t value) {
  put_unsigned(out, (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
}

inline void put_text(std::string& out, std::string_view text) {
  put_unsigned(out, text.size());
  out += text;
}

inline void put_fixed64(std::string& out, std::uint64_t value) {
  for (unsigned shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift);
}

/// Takes values off the front. Past the end, or at a value that is too long, it fails and stays failed: everything
/// taken from then on is zero or empty, so that one look at failed() after a row is enough.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t take_byte() {
    const std::string_view byte = take(1);
    return byte.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(byte[0]);
  }
  void take_bytes(std::span<std::uint8_t> out) {
    const std::string_view bytes = take(out.size());
    if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), out.size());
  }
  std::uint64_t take_unsigned() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = take_byte();
      if (shift == 63 && byte > 1) break;
      value |= (byte & 0x7fU) << shift;
      if (byte < 0x80) return failed_ ? 0 : value;
    }
    fail();
    return 0;
  }
  std::int64_t take_signed() {
    const std::uint64_t value = take_unsigned();
    return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1U));
  }
  std::uint64_t take_fixed64() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) value |= std::uint64_t{take_byte()} << shift;
    return failed_ ? 0 : value;
  }
  std::string_view take_text(std::size_t most) {
    const std::uint64_t size = take_unsigned();
    if (size > most) fail();
    return failed_ ? std::string_view() : take(static_cast<std::size_t>(size));
  }

  bool failed() const { return failed_; }
  /// All was taken, and well.
  bool at_end() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (failed_ || size > rest_.size()) return fail();
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view fail() {
    failed_ = true;
    return rest_ = {};
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace latchkey::feed
