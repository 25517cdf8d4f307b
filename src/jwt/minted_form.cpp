#include "jwt/minted_form.hpp"

#include <array>
#include <charconv>

#include "jwt/base64url.hpp"

namespace latchkey::jwt {
namespace {

constexpr std::size_t kid_length = 43;
constexpr std::size_t id_length = 36;
constexpr std::size_t max_payload_bytes = 512;  // that of the longest user id, without escapes, is shorter

/// What is left of a text, of which known pieces are taken off the front.
class Rest {
 public:
  explicit Rest(std::string_view text) : text_(text) {}
  bool take(std::string_view literal) {
    if (!text_.starts_with(literal)) return false;
    text_.remove_prefix(literal.size());
    return true;
  }
  std::string_view take(std::size_t size) {
    const std::string_view taken = text_.substr(0, size);
    text_.remove_prefix(taken.size());
    return taken;
  }
  /// A whole number as JSON writes it, from 0.
  std::optional<std::int64_t> take_number() {
    std::int64_t number = 0;
    const auto [end, wrong] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
    const auto digits = static_cast<std::size_t>(end - text_.data());
    if (wrong != std::errc() || number < 0 || (text_[0] == '0' && digits > 1) || text_[0] == '-') return std::nullopt;
    text_.remove_prefix(digits);
    return number;
  }
  std::size_t size() const { return text_.size(); }

 private:
  std::string_view text_;
};

bool is_plain(std::string_view text) { return text.find('"') == text.npos && text.find('\\') == text.npos; }

bool read_claims(std::string_view payload, AccessClaims& claims) {
  Rest rest(payload);
  if (!rest.take(R"({"jti":")")) return false;
  const auto key_id = KeyId::parse(rest.take(id_length));
  if (!key_id || !rest.take(R"(","iat":)")) return false;
  const auto issued_at = rest.take_number();
  if (!issued_at || !rest.take(R"(,"iss":"latchkey","role":"user","sub":")") || rest.size() < 2) return false;
  const std::string_view user_id = rest.take(rest.size() - 2);
  if (!rest.take(R"("})") || !is_plain(user_id) || !check_user_id(user_id)) return false;
  claims = {*key_id, std::string(user_id), {*issued_at}, Role::user};
  return true;
}

std::optional<std::string> decode_minted_header(std::string_view encoded) {
  static constexpr std::string_view before = R"({"alg":"EdDSA","kid":")", after = R"(","typ":"latchkey+jwt"})";
  std::array<std::uint8_t, before.size() + kid_length + after.size()> bytes{};
  if (!decode_base64url(encoded, bytes)) return std::nullopt;
  Rest rest({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!rest.take(before)) return std::nullopt;
  const std::string_view kid = rest.take(kid_length);
  std::array<std::uint8_t, 32> thumbprint{};
  if (!rest.take(after) || !decode_base64url(kid, thumbprint)) return std::nullopt;
  return std::string(kid);
}

}  // namespace

std::optional<std::string> kid_of_minted_header(std::string_view encoded) {
  // All tokens of a signing key begin with one header, and few signing keys are in use.
  thread_local std::string last_encoded, last_kid;
  if (!encoded.empty() && encoded == last_encoded) return last_kid;
  auto kid = decode_minted_header(encoded);
  if (kid) {
    last_encoded = encoded;
    last_kid = *kid;
  }
  return kid;
}

std::optional<ParsedAccessToken> parse_minted_form(std::string_view token) {
  if (token.size() > max_token_bytes) return std::nullopt;
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos) return std::nullopt;
  const std::string_view payload = token.substr(first + 1, second - first - 1);
  std::array<std::uint8_t, max_payload_bytes> bytes;
  const std::size_t size = payload.size() / 4 * 3 + payload.size() % 4 * 3 / 4;
  if (size > bytes.size() || !decode_base64url(payload, std::span(bytes).first(size))) return std::nullopt;
  auto kid = kid_of_minted_header(token.substr(0, first));
  if (!kid) return std::nullopt;
  ParsedAccessToken parsed{{}, std::move(*kid), token.substr(0, second), {}};
  if (!read_claims({reinterpret_cast<const char*>(bytes.data()), size}, parsed.claims) ||
      !decode_base64url(token.substr(second + 1), parsed.signature)) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace latchkey::jwt
