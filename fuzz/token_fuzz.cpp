// Tokens from anywhere. The first byte of the input says how the rest becomes a token: as it is, or as header and
// payload text (with a line feed between) that is encoded and signed here, so that the search reaches the rules behind
// base64url and the signature.

#include <cstdint>
#include <cstdlib>

#include "jwt/access_token.hpp"
#include "jwt/admin_token.hpp"
#include "jwt/digest.hpp"
#include "jwt/jose.hpp"
#include "jwt/testing/hand_made_token.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace {

using namespace latchkey;
using namespace latchkey::jwt;

constexpr std::string_view shared_secret = "0123456789abcdef0123456789abcdef";
constexpr UnixMillis now{1'767'225'600'000};

// Only a raw token can be signed with one of these, so only those are worth the time their verification takes.
// The public keys of RFC 7515 (A.2, A.3) and RFC 8037 (A.2).
constexpr std::string_view jwks = R"({"keys":[
{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},
{"kty":"EC","crv":"P-256","kid":"a3","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

void require(bool holds) {
  if (!holds) std::abort();
}

AdminVerifier make_verifier(bool by_secret) {
  AdminKeys keys;
  if (by_secret) require(keys.add_shared_secret(Secret(std::string(shared_secret))).has_value());
  if (!by_secret) require(keys.add_public_keys(jwks).has_value());
  return {AdminTrust{"ops", "latchkey"}, std::move(keys)};
}

std::string with_hmac(std::string input) {
  std::array<std::uint8_t, 32> mac{};
  HMAC(EVP_sha256(), shared_secret.data(), static_cast<int>(shared_secret.size()), as_bytes(input).data(), input.size(),
       mac.data(), nullptr);
  input += '.';
  append_base64url(input, mac);
  return input;
}

bool is_composed(char mode) { return mode == 'h' || mode == 's'; }

std::string token_of(std::string_view data) {
  if (data.empty()) return {};
  const char mode = data.front();
  data.remove_prefix(1);
  if (!is_composed(mode)) return std::string(data);
  const auto line_end = std::min(data.find('\n'), data.size());
  std::string input = hand_made_input(data.substr(0, line_end), data.substr(std::min(line_end + 1, data.size())));
  if (mode == 'h') return with_hmac(std::move(input));
  return input + '.' + encode_base64url(std::string(64, 's'));
}

bool respells_itself(std::string_view part) {
  const auto bytes = decode_base64url(part);
  return bytes && encode_base64url(*bytes) == part;
}

void check_access(std::string_view token) {
  const auto hint = hinted_key_id(token);
  const auto parsed = parse_access_token(token);
  if (!parsed) return;
  const auto jws = split_compact(token);
  require(jws && jws->signing_input == parsed->signing_input);
  require(respells_itself(jws->header) && respells_itself(jws->payload) && respells_itself(jws->signature));
  require(check_user_id(parsed->claims.user_id).has_value() && parsed->claims.issued_at.seconds >= 0);

  static const auto key = rfc8037_key();
  static unsigned turn = 0;
  if (hint && *hint != parsed->claims.key_id) std::abort();  // our layout, but another id
  if (++turn % 64 != 0) return;                              // signing is slow; each 64th is enough
  const auto minted = mint_access_token(parsed->claims, parsed->kid, key);
  require(hinted_key_id(minted.reveal()) == parsed->claims.key_id);
  const auto again = parse_access_token(minted.reveal());
  require(again && again->claims.user_id == parsed->claims.user_id && again->kid == parsed->kid);
  require(again->claims.key_id == parsed->claims.key_id && again->claims.issued_at == parsed->claims.issued_at);
  require(verify(*again, key.public_key()));
}

void check_admin(std::string_view token, const AdminVerifier& verifier) {
  const auto identity = verifier.verify(token, now);
  if (!identity) {
    // The wrong kind is named only where the other parser knows it as its own.
    require(!identity.error().reason.empty() && identity.error().reason.size() < 1024);
    if (identity.error().fault != AdminFault::access_key) return;
    const auto parsed = parse_access_token(token);
    return require(parsed.has_value() || parsed.error() == TokenFault::another_role);
  }
  require(!identity->subject.empty() && token.size() <= max_admin_token_bytes);
  require(parse_access_token(token).has_error());  // no token passes at both doors
  const auto payload = read_json_part(split_compact(token)->payload, max_claims_depth);
  require(payload && string_member(*payload, "iss") == "ops");
  require(RoleClaim().role_in(*payload) == identity->role);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const AdminVerifier public_keys = make_verifier(false);
  static const AdminVerifier secret = make_verifier(true);
  const std::string token = token_of({reinterpret_cast<const char*>(data), size});
  check_access(token);
  check_admin(token, size > 0 && is_composed(static_cast<char>(data[0])) ? secret : public_keys);
  digest_of(token);
  return 0;
}
