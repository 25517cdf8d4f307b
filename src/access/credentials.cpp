#include "access/credentials.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "http/ascii.hpp"
#include "key/presented_form.hpp"

namespace latchkey::access {
namespace {

/// A parameter's name as far as names of keys go: decoded, lower case, without '-' and '_'. Longer ones are cut, and
/// then equal none.
class PlainName {
 public:
  explicit PlainName(std::string_view encoded) {
    for (std::size_t i = 0; i < encoded.size() && size_ < text_.size(); ++i) {
      char c = encoded[i];
      if (c == '%' && i + 2 < encoded.size()) {
        const int high = http::hex_value(encoded[i + 1]);
        const int low = http::hex_value(encoded[i + 2]);
        if (high >= 0 && low >= 0) {
          c = static_cast<char>(high * 16 + low);
          i += 2;
        }
      }
      if (c != '-' && c != '_') text_[size_++] = http::to_lower(c);
    }
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 16> text_{};
  std::size_t size_ = 0;
};

/// The beginning of a value, decoded: as much as shows whether it is a key behind a prefix.
class Decoded {
 public:
  explicit Decoded(std::string_view encoded) {
    for (std::size_t i = 0; i < encoded.size() && size_ < text_.size(); ++i) {
      char c = encoded[i];
      const bool escaped = c == '%' && i + 2 < encoded.size();
      const int high = escaped ? http::hex_value(encoded[i + 1]) : -1;
      const int low = escaped ? http::hex_value(encoded[i + 2]) : -1;
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high * 16 + low);
        i += 2;
      }
      text_[size_++] = c;
    }
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, max_key_prefix_bytes + 3> text_{};
  std::size_t size_ = 0;
};

bool names_a_key(std::string_view encoded_name) {
  static constexpr std::array<std::string_view, 8> names = {"key",         "token",   "apikey",        "accesskey",
                                                            "accesstoken", "xapikey", "authorization", "bearer"};
  return std::find(names.begin(), names.end(), PlainName(encoded_name).text()) != names.end();
}

/// `eyJ` is how base64url of `{"` begins; '-' and '_', which PlainName leaves out, are not in it. Behind a prefix it is
/// looked for as it is written: "monkeyjar" is none.
bool looks_like_a_token(std::string_view value) {
  if (std::count(value.begin(), value.end(), '.') != 2) return false;
  return PlainName(value).text().starts_with("eyj") || without_prefix(Decoded(value).text()).starts_with("eyJ");
}

bool holds_a_key(std::string_view query) {
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find_first_of("&;"));
    const auto equals = piece.find('=');
    if (names_a_key(piece.substr(0, equals))) return true;
    if (looks_like_a_token(equals == piece.npos ? piece : piece.substr(equals + 1))) return true;
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
  }
  return false;
}

// Two searches of one character each: find_first_of() calls memchr for every character of the token.
Result<std::string_view, Refusal> one_word(std::string_view text) {
  const bool spaced = text.find(' ') != std::string_view::npos || text.find('\t') != std::string_view::npos;
  if (text.empty() || spaced) return Refusal::malformed;
  return text;
}

/// What stands behind the scheme; nullopt: another scheme than Bearer, or none.
std::optional<std::string_view> behind_bearer(std::string_view value) {
  const std::string_view scheme = value.substr(0, value.find(' '));
  if (!http::equals_ignoring_case(scheme, "bearer")) return std::nullopt;
  value.remove_prefix(scheme.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

/// What of the two headers one header line presents, without a prefix; nullopt: nothing.
std::optional<std::string_view> presented_by(const http::Header& header) {
  if (http::equals_ignoring_case(header.name, "x-api-key")) return without_prefix(header.value);
  if (!http::equals_ignoring_case(header.name, "authorization")) return std::nullopt;
  const auto behind = behind_bearer(header.value);
  return behind ? std::optional(without_prefix(*behind)) : std::nullopt;
}

}  // namespace

Result<std::string_view, Refusal> token_in_headers(const http::Request& request) {
  std::optional<std::string_view> found;
  for (const auto& header : request.headers) {
    const auto presented = presented_by(header);
    if (!presented) continue;
    const bool another = found && !found->empty() && !presented->empty() && *found != *presented;
    if (another) return Refusal::ambiguous;
    if (!found || found->empty()) found = presented;
  }
  return found ? one_word(*found) : Refusal::no_credentials;
}

Result<std::string_view, Refusal> presented_token(const http::Request& request) {
  const auto token = token_in_headers(request);
  return holds_a_key(request.query) ? Refusal::ambiguous : token;
}

bool is_bearer(const http::Request& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const http::Header& header) {
    return http::equals_ignoring_case(header.name, "authorization") &&
           !behind_bearer(header.value).value_or("").empty();
  });
}

std::string_view expected_token(const http::Request& request) {
  for (const auto& header : request.headers) {
    if (http::equals_ignoring_case(header.name, "authorization")) {
      return without_prefix(header.value.substr(header.value.rfind(' ') + 1));
    }
    if (http::equals_ignoring_case(header.name, "x-api-key")) return without_prefix(header.value);
  }
  return {};
}

}  // namespace latchkey::access
