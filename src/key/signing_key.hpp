#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace latchkey {

/// An Ed25519 public key (RFC 8032), 32 bytes.
using Ed25519PublicKey = std::array<std::uint8_t, 32>;

/// `signing`: signs new access keys (exactly one). `verifying`: an earlier one, still good for the keys it signed.
/// `retired`: its signatures count no more.
enum class SigningKeyState : std::uint8_t { signing, verifying, retired };
std::string_view to_string(SigningKeyState state);
std::optional<SigningKeyState> parse_signing_key_state(std::string_view text);

/// The public half of a key that signs access keys. It travels in the change feed; the private half never leaves the
/// management service's secrets.
struct SigningKey {
  std::string kid;  // RFC 7638 thumbprint of the public key, base64url, 43 characters
  Ed25519PublicKey public_key{};
  SigningKeyState state = SigningKeyState::signing;
  UnixMillis created_at;
  UnixMillis updated_at;
  bool operator==(const SigningKey&) const = default;
};

}  // namespace latchkey
