#include "jwt/access_token.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

#include "jwt/base64url.hpp"
#include "jwt/jose.hpp"
#include "jwt/minted_form.hpp"

namespace latchkey::jwt {
namespace {

constexpr std::string_view algorithm = "EdDSA";

// What stands before the key id in the payload we mint, and how much base64url reaches past the id's end: 8 bytes and
// 36 are 44, within the first 15 groups of three. See hinted_key_id().
constexpr std::string_view before_key_id = R"({"jti":")";
constexpr std::size_t key_id_length = 36;
constexpr std::size_t hint_bytes = 45;
constexpr std::size_t hint_digits = hint_bytes / 3 * 4;
static_assert(before_key_id.size() + key_id_length < hint_bytes);

// A kid is an RFC 7638 thumbprint, so anything else names no key of ours and need not be looked up.
bool is_thumbprint(std::string_view kid) {
  std::array<std::uint8_t, 32> hash{};
  return decode_base64url(kid, hash);
}

std::optional<IssueTime> read_issue_time(const json::object& payload) {
  const auto* value = payload.if_contains("iat");
  const auto* seconds = value ? value->if_int64() : nullptr;  // of another kind: fractions, exponents, 2^63 and above
  if (!seconds || *seconds < 0) return std::nullopt;
  return IssueTime{*seconds};
}

// An access key has none of these (design: expiry lives in the view). One that came anyway would have to be honoured.
bool has_restricting_claim(const json::object& payload) {
  return payload.contains("exp") || payload.contains("nbf") || payload.contains("aud");
}

Result<AccessClaims, TokenFault> read_claims(const json::object& payload) {
  const auto jti = string_member(payload, "jti");
  const auto sub = string_member(payload, "sub");
  const auto role = string_member(payload, "role");
  const auto key_id = jti ? KeyId::parse(*jti) : std::nullopt;
  const auto issued_at = read_issue_time(payload);
  if (!key_id || !issued_at || !sub || !check_user_id(*sub) || !role) return TokenFault::malformed;
  if (string_member(payload, "iss") != access_token_issuer || has_restricting_claim(payload)) {
    return TokenFault::malformed;
  }
  if (*role != to_string(Role::user)) return TokenFault::another_role;
  return AccessClaims{*key_id, std::string(*sub), *issued_at, Role::user};
}

void check_mintable(const AccessClaims& claims, std::string_view kid) {
  if (!is_thumbprint(kid)) throw std::invalid_argument("kid is not a thumbprint");
  if (!check_user_id(claims.user_id) || claims.issued_at.seconds < 0)
    throw std::invalid_argument("claims break a rule");
}

std::string payload_of(const AccessClaims& claims) {
  std::string payload = fmt::format(R"({{"jti":"{}","iat":{},"iss":"{}","role":"{}","sub":)", claims.key_id.to_string(),
                                    claims.issued_at.seconds, access_token_issuer, to_string(claims.role));
  append_json_string(payload, claims.user_id);
  payload += '}';
  return payload;
}

}  // namespace

Secret mint_access_token(const AccessClaims& claims, std::string_view kid, const Ed25519PrivateKey& key) {
  check_mintable(claims, kid);
  std::string token;
  token.reserve(max_token_bytes / 4);
  append_base64url(token,
                   as_bytes(fmt::format(R"({{"alg":"{}","kid":"{}","typ":"{}"}})", algorithm, kid, access_token_type)));
  token += '.';
  append_base64url(token, as_bytes(payload_of(claims)));
  const Ed25519Signature signature = key.sign(token);
  token += '.';
  append_base64url(token, signature);
  return Secret(std::move(token));
}

namespace {

// Whether the last octet can be that of a JSON object: most garbage is known by it before anything else is read.
bool may_end_object(std::string_view encoded) {
  std::array<std::uint8_t, 3> bytes{};
  const std::size_t digits = encoded.size() % 4 == 0 ? 4 : encoded.size() % 4;
  const auto end = std::span(bytes).first(digits - 1);
  if (encoded.size() < digits || !decode_base64url(encoded.substr(encoded.size() - digits), end)) return false;
  return std::string_view("} \t\r\n").find(static_cast<char>(end.back())) != std::string_view::npos;
}

// What is worth a JSON parser. Garbage must not cost more than an access key, and a tree of a few thousand octets does.
constexpr std::size_t most_header_digits = 1024, most_claims_digits = 1024, most_claims_pieces = 32;

/// How many pieces a JSON text has, by what begins or parts them outside of strings; looked at without taking it apart.
std::size_t pieces_of(std::string_view text) {
  std::size_t pieces = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') ++i;
    if (!in_string && (c == '{' || c == '[' || c == ':' || c == ',')) ++pieces;
  }
  return pieces;
}

}  // namespace

Result<ParsedAccessToken, TokenFault> parse_access_token(std::string_view token) {
  if (token.size() > max_token_bytes) return TokenFault::malformed;
  if (auto minted = parse_minted_form(token)) return std::move(*minted);
  const auto jws = split_compact(token);
  if (!jws || !may_end_object(jws->payload) || jws->header.size() > most_header_digits) return TokenFault::malformed;
  const auto header = read_jose_header(jws->header);
  const bool of_ours = header && header->typ == access_token_type;
  if (!header || (of_ours && jws->payload.size() > most_claims_digits)) return TokenFault::malformed;
  const auto text = decode_base64url(jws->payload);
  if (!text || (of_ours && pieces_of(*text) > most_claims_pieces)) return TokenFault::malformed;
  const auto payload = read_json_object(*text);
  if (!payload || !decode_base64url(jws->signature)) return TokenFault::malformed;
  if (header->typ != access_token_type) return TokenFault::another_kind;
  if (header->alg != algorithm || !header->kid || !is_thumbprint(*header->kid)) return TokenFault::malformed;

  ParsedAccessToken parsed{{}, *header->kid, jws->signing_input, {}};
  if (!decode_base64url(jws->signature, parsed.signature)) return TokenFault::malformed;
  auto claims = read_claims(*payload);
  if (!claims) return claims.error();
  parsed.claims = std::move(*claims);
  return parsed;
}

bool verify(const ParsedAccessToken& token, const Ed25519PublicKey& key) {
  return ed25519_verify(key, token.signing_input, token.signature);
}

std::optional<KeyId> hinted_key_id(std::string_view token) {
  if (token.size() > max_token_bytes) return std::nullopt;
  const std::size_t dot = token.find('.');
  if (dot == std::string_view::npos || token.size() - dot - 1 < hint_digits) return std::nullopt;
  std::array<std::uint8_t, hint_bytes> bytes{};
  if (!decode_base64url(token.substr(dot + 1, hint_digits), bytes)) return std::nullopt;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(before_key_id) || text.back() != '"') return std::nullopt;
  return KeyId::parse(text.substr(before_key_id.size(), key_id_length));
}

}  // namespace latchkey::jwt
