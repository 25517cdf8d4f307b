#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "access/limits_in_force.hpp"
#include "base/hex.hpp"
#include "http/ascii.hpp"
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
  /// The same of several: of every limit that enforces, in its order; `w` of windows only. Nothing where none does.
  HeaderLines& rate_limits(const access::LimitsInForce& limits, const limit::Verdict& verdict);
  HeaderLines& retry_after(std::uint32_t seconds) { return put("Retry-After: ").number(seconds).put("\r\n"); }

  HeaderLines& key_id(std::string_view name, const KeyId& id);
  /// The holder that was admitted, for a proxy to hand on. Each header exactly once, empty where there is nothing: a
  /// proxy that copies it must find it, or it leaves standing what its client sent under that name.
  HeaderLines& identity(std::string_view user_id, const KeyId& id, std::string_view plan, std::string_view scopes);
  /// The same headers, all empty.
  HeaderLines& no_identity();
  /// RFC 6750, 3: which scopes are needed.
  HeaderLines& scope_challenge(std::span<const std::string> scopes);

  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  std::size_t room() const { return bytes_.size() - size_; }
  HeaderLines& put(std::string_view text) {
    if (text.empty() || text.size() > room()) return *this;
    std::memcpy(bytes_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  HeaderLines& percent_encoded(std::string_view text);
  template <std::integral T>
  HeaderLines& number(T value) {
    char digits[24];
    return put({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits)});
  }

  std::array<char, 4096> bytes_;
  std::size_t size_ = 0;
};

inline HeaderLines& HeaderLines::position(Position position) {
  const auto high = hex_digits(static_cast<std::uint32_t>(position.epoch.value >> 32));
  const auto low = hex_digits(static_cast<std::uint32_t>(position.epoch.value));
  put("Latchkey-Position: ").put({high.data(), high.size()}).put({low.data(), low.size()});
  return put(".").number(position.seq.value).put("\r\n");
}

inline HeaderLines& HeaderLines::key_id(std::string_view name, const KeyId& id) {
  const auto text = text_of(id);
  return line(name, {text.data(), text.size()});
}

inline HeaderLines& HeaderLines::percent_encoded(std::string_view text) {
  constexpr std::string_view unreserved = "-._~";
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       unreserved.find(c) != std::string_view::npos;
    plain ? put({&c, 1}) : put("%").put(hex.substr(octet >> 4U, 1)).put(hex.substr(octet & 15U, 1));
  }
  return *this;
}

inline HeaderLines& HeaderLines::identity(std::string_view user_id, const KeyId& id, std::string_view plan,
                                          std::string_view scopes) {
  line("X-Latchkey-User", http::is_visible_ascii(user_id) ? user_id : std::string_view());
  put("X-Latchkey-User-Encoded: ").percent_encoded(user_id).put("\r\n");
  key_id("X-Latchkey-Key-Id", id);
  return line("X-Latchkey-Plan", plan).line("X-Latchkey-Scopes", scopes);
}

inline HeaderLines& HeaderLines::no_identity() {
  return put("X-Latchkey-User: \r\nX-Latchkey-User-Encoded: \r\nX-Latchkey-Key-Id: \r\n")
      .put("X-Latchkey-Plan: \r\nX-Latchkey-Scopes: \r\n");
}

inline HeaderLines& HeaderLines::scope_challenge(std::span<const std::string> scopes) {
  std::string value = "Bearer error=\"insufficient_scope\", scope=\"";
  for (const auto& scope : scopes) value.append(&scope == &scopes.front() ? "" : " ").append(scope);
  return line("WWW-Authenticate", value + "\"");
}

inline HeaderLines& HeaderLines::rate_limit(std::uint32_t requests_per_minute, const limit::Decision& decision) {
  put("RateLimit-Policy: \"per-minute\";q=").number(requests_per_minute).put(";w=60\r\n");
  put("RateLimit: \"per-minute\";r=").number(decision.remaining);
  return put(";t=").number(decision.reset_seconds).put("\r\n");
}

inline HeaderLines& HeaderLines::rate_limits(const access::LimitsInForce& limits, const limit::Verdict& verdict) {
  const auto each_enforced = [&](std::string_view header, auto&& put_members) {
    bool first = true;
    for (std::size_t i = 0; i < limits.size(); ++i) {
      if (limits[i].observe) continue;
      put(first ? header : std::string_view(", ")).put("\"").put(limits.name(i)).put("\"");
      put_members(i);
      first = false;
    }
    if (!first) put("\r\n");
  };
  each_enforced("RateLimit-Policy: ", [&](std::size_t i) {
    put(";q=").number(limits[i].requests);
    if (limits[i].calendar == nullptr) put(";w=").number(limits[i].window_seconds);
  });
  each_enforced("RateLimit: ", [&](std::size_t i) {
    const limit::Standing& standing = verdict.standings[i];
    put(";r=").number(standing.remaining).put(";t=").number(standing.reset_seconds);
  });
  return *this;
}

}  // namespace latchkey::tokens_service
