#include "limit/counter_id.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <string>
#include <variant>

namespace latchkey::limit {
namespace {

using Sha256 = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;

Sha256 sha256(std::string_view text) {
  Sha256 digest{};
  ::SHA256(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digest.data());
  return digest;
}

/// Each part with its length before it, so that no two lists of parts give one text.
void append(std::string& text, std::string_view part) {
  text.append(std::to_string(part.size())).append(1, ':').append(part);
}

std::string text_of(const LimitWindow& window) { return std::to_string(window.seconds) + "s"; }

std::string text_of(const LimitPeriod& period) {
  return fmt::format("{} {} {}", to_string(period.unit), period.time_zone,
                     period.unit == PeriodUnit::day ? 1 : period.anchor_day);
}

std::uint64_t number_of(std::string_view scope, std::string_view defined_by, const LimitSpec& limit) {
  std::string text;
  const std::string span = std::visit([](const auto& each) { return text_of(each); }, limit.span);
  for (const std::string_view part : {std::string_view("latchkey limit 1"), scope, defined_by,
                                      std::string_view(limit.name), std::string_view(span)}) {
    append(text, part);
  }
  const Sha256 digest = sha256(text);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8U | digest[i];
  return number == per_minute_counter ? 1 : number;
}

}  // namespace

std::uint64_t counter_of_key(const LimitSpec& limit) {
  const auto* window = std::get_if<LimitWindow>(&limit.span);
  const bool is_plain = limit.name == per_minute_name && window != nullptr && window->seconds == per_minute_seconds;
  return is_plain ? per_minute_counter : number_of("key", {}, limit);
}

std::uint64_t counter_of_user(std::string_view defined_by, const LimitSpec& limit) {
  return number_of("user", defined_by, limit);
}

OwnerId owner_of_user(std::string_view user_id) {
  const Sha256 digest = sha256(user_id);
  OwnerId::Bytes bytes{};
  std::memcpy(bytes.data(), digest.data(), bytes.size());
  bytes[6] =
      static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x80U);  // version 8 (RFC 9562, 5.8); key ids are of version 7
  return OwnerId(bytes);
}

}  // namespace latchkey::limit
