#pragma once

// Rows for this folder's tests.

#include <cstring>
#include <string>

#include "key/access_key.hpp"
#include "key/signing_key.hpp"

namespace latchkey::view {

inline KeyId id_of(std::uint64_t n) {
  KeyId::Bytes bytes{};
  std::memcpy(bytes.data() + 8, &n, sizeof n);
  bytes[6] = 0x70;
  bytes[15] = static_cast<std::uint8_t>(n);  // real ids end in random bits
  return KeyId(bytes);
}

inline AccessKey key_of(std::uint64_t n, std::uint64_t version) {
  AccessKey key;
  key.id = id_of(n);
  key.user_id = "user-" + std::to_string(n);
  key.requests_per_minute = 60;
  key.issued_at = {1'767'225'600};
  key.version = {version};
  return key;
}

inline SigningKey signing_key_of(char name, SigningKeyState state = SigningKeyState::signing) {
  SigningKey key;
  key.kid = std::string(43, name);
  key.public_key.fill(static_cast<std::uint8_t>(name));
  key.state = state;
  return key;
}

}  // namespace latchkey::view
