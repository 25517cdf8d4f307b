#pragma once

// Base64url without padding, RFC 4648 section 5 as RFC 7515 uses it. Strict, because each text must have one encoding
// only: a token that can be respelled is another token to a cache and the same one to a verifier.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace latchkey::jwt {

void append_base64url(std::string& out, std::span<const std::uint8_t> bytes);
std::string encode_base64url(std::span<const std::uint8_t> bytes);
std::string encode_base64url(std::string_view bytes);

/// nullopt for padding, characters of plain base64 (+ and /), white space, an impossible length, or spare bits that are
/// not zero. The empty text decodes to no bytes.
std::optional<std::string> decode_base64url(std::string_view text);

/// Decodes exactly `out.size()` bytes: false, with `out` unspecified, for any other length and for all of the above.
/// Never allocates.
bool decode_base64url(std::string_view text, std::span<std::uint8_t> out);

/// The bytes of a string, for interfaces that take bytes.
inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace latchkey::jwt
