#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace latchkey::jwt {

/// The first 128 bits of SHA-256 of a whole token: what the view remembers after a good signature. All zero means
/// "none"; a token with an all-zero digest is simply never remembered.
struct TokenDigest {
  std::array<std::uint64_t, 2> words{};
  bool operator==(const TokenDigest&) const = default;
  bool empty() const { return words[0] == 0 && words[1] == 0; }
};

/// No allocation: 0.2 µs for 352 bytes, where the thread has seen a token of the same signing key before.
TokenDigest digest_of(std::string_view token);

}  // namespace latchkey::jwt
