#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstring>
#include <string_view>

#include "base/hex.hpp"
#include "key/key_id_text.hpp"
#include "key/position.hpp"
#include "limit/rate_limiter.hpp"

namespace latchkey::tokens_service {

/// Header lines of one answer, made on the stack. Room for all that a route adds; what would not fit is left out whole.
class HeaderLines {
 public:
  HeaderLines& line(std::string_view name, std::string_view value) {
    if (name.size() + value.size() + 4 > room()) return *this;
    return put(name).put(": ").put(value).put("\r\n");
  }
  HeaderLines& lines(std::string_view complete) { return complete.size() <= room() ? put(complete) : *this; }

  /// `Latchkey-Position: 00c0ffee00c0ffee.42`
  HeaderLines& position(Position position);
  /// draft-ietf-httpapi-ratelimit-headers-11: the policy (quota, window) and what is left of it (remaining, reset).
  HeaderLines& rate_limit(std::uint32_t requests_per_minute, const limit::Decision& decision);
  HeaderLines& retry_after(std::uint32_t seconds) { return put("Retry-After: ").number(seconds).put("\r\n"); }

  HeaderLines& key_id(std::string_view name, const KeyId& id);

  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  std::size_t room() const { return bytes_.size() - size_; }
  HeaderLines& put(std::string_view text) {
    if (text.empty() || text.size() > room()) return *this;
    std::memcpy(bytes_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  template <std::integral T>
  HeaderLines& number(T value) {
    char digits[24];
    return put({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits)});
  }

  std::array<char, 1024> bytes_;
  std::size_t size_ = 0;
};

inline HeaderLines& HeaderLines::position(Position position) {
  const auto high = hex_digits(static_cast<std::uint32_t>(position.epoch.value >> 32));
  const auto low = hex_digits(static_cast<std::uint32_t>(position.epoch.value));
  put("Latchkey-Position: ").put({high.data(), high.size()}).put({low.data(), low.size()});
  return put(".").number(position.seq).put("\r\n");
}

inline HeaderLines& HeaderLines::key_id(std::string_view name, const KeyId& id) {
  const auto text = text_of(id);
  return line(name, {text.data(), text.size()});
}

inline HeaderLines& HeaderLines::rate_limit(std::uint32_t requests_per_minute, const limit::Decision& decision) {
  put("RateLimit-Policy: \"per-minute\";q=").number(requests_per_minute).put(";w=60\r\n");
  put("RateLimit: \"per-minute\";r=").number(decision.remaining);
  return put(";t=").number(decision.reset_seconds).put("\r\n");
}

}  // namespace latchkey::tokens_service
