#include "sample/sample_keys.hpp"

#include <fmt/format.h>

#include <cstring>

#include "jwt/base64url.hpp"

namespace latchkey::bench {
namespace {

constexpr std::int64_t first_created_ms = 1'790'000'000'000;

std::string user_id(std::uint64_t number) { return fmt::format("user-{:011}", number); }
std::int64_t created_ms(std::uint64_t number) { return first_created_ms + static_cast<std::int64_t>(number); }

}  // namespace

KeyId sample_id(std::uint64_t number) {
  const std::uint64_t low = mix(number), high = mix(number ^ 0x5bd1e995'00000000);
  const auto ms = static_cast<std::uint64_t>(created_ms(number));
  KeyId::Bytes bytes{};
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  std::memcpy(bytes.data() + 6, &high, 2);
  std::memcpy(bytes.data() + 8, &low, 8);
  bytes[6] = static_cast<std::uint8_t>(0x70 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return KeyId(bytes);
}

AccessKey sample_key(std::uint64_t number) {
  AccessKey key;
  key.id = sample_id(number);
  key.user_id = user_id(number);
  key.requests_per_minute = max_requests_per_minute;
  key.created_at = {created_ms(number)};
  key.issued_at = {key.created_at.seconds()};
  key.updated_at = key.created_at;
  key.updated_by = "bench";
  return key;
}

std::string unsigned_token(std::uint64_t number, std::string_view kid) {
  const auto encode = [](const std::string& text) { return jwt::encode_base64url(std::string_view(text)); };
  return encode(fmt::format(R"({{"alg":"EdDSA","kid":"{}","typ":"latchkey+jwt"}})", kid)) + "." +
         encode(fmt::format(R"({{"jti":"{}","iat":{},"iss":"latchkey","role":"user","sub":"{}"}})",
                            sample_id(number).to_string(), created_ms(number) / 1000, user_id(number))) +
         "." + std::string(86, 'A');
}

}  // namespace latchkey::bench
