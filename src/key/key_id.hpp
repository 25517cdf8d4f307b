#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace latchkey {

/// 128 bits, time-ordered: a UUID version 7 (RFC 9562, 5.7). Text form: 36 lower-case characters,
/// "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d". It is the access key's `jti`, never a secret.
class KeyId {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  KeyId() = default;
  explicit KeyId(const Bytes& bytes) : bytes_(bytes) {}
  /// A new id of this moment.
  static KeyId generate(UnixMillis now, Random& random);
  /// Accepts the text form only: lower-case hex, hyphens in place, version 7, variant 10.
  static std::optional<KeyId> parse(std::string_view text);

  std::string to_string() const;
  const Bytes& bytes() const { return bytes_; }
  /// The random half; well spread, so it serves as a hash where ids come from ourselves.
  std::uint64_t low_bits() const {
    std::uint64_t low = 0;
    std::memcpy(&low, bytes_.data() + 8, 8);
    return low;
  }
  auto operator<=>(const KeyId&) const = default;

 private:
  Bytes bytes_{};
};

}  // namespace latchkey

template <>
struct std::hash<latchkey::KeyId> {
  std::size_t operator()(const latchkey::KeyId& id) const noexcept { return id.low_bits() * 0x9E3779B97F4A7C15ULL; }
};
