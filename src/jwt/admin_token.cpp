#include "jwt/admin_token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <iterator>

#include "base/shown.hpp"
#include "jwt/access_token.hpp"
#include "jwt/admin_claims.hpp"
#include "jwt/base64url.hpp"
#include "jwt/jose.hpp"

namespace latchkey::jwt {
namespace {

constexpr std::string_view admin_token_type = "JWT";

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; });
}

bool is_admin_type(std::string_view typ) {
  constexpr std::string_view tree = "application/";
  if (equal_ignoring_case(typ.substr(0, tree.size()), tree)) typ.remove_prefix(tree.size());
  return equal_ignoring_case(typ, "jwt") || equal_ignoring_case(typ, "at+jwt");
}

// Of typ latchkey+jwt: a whole access key is the wrong kind, a broken one is only bad.
AdminRefusal judge_access_key(std::string_view token) {
  const auto parsed = parse_access_token(token);
  if (parsed || parsed.error() == TokenFault::another_role) return {AdminFault::access_key, "it is an access key"};
  return {AdminFault::malformed, "its typ is that of an access key, which it is not"};
}

AdminRefusal malformed(std::string reason) { return {AdminFault::malformed, std::move(reason)}; }

bool fits(const VerificationKey& key, Algorithm algorithm, const JoseHeader& header) {
  return key.is_for(algorithm) && (!header.kid || !key.kid || *header.kid == *key.kid);
}

AdminRefusal no_key(const std::vector<VerificationKey>& keys, const JoseHeader& header) {
  const auto knows = [&](const VerificationKey& key) { return header.kid && key.kid == header.kid; };
  if (std::any_of(keys.begin(), keys.end(), knows)) {
    return {AdminFault::unknown_key,
            fmt::format("the key with its kid, {}, is not for its alg, {}", shown(*header.kid), shown(header.alg))};
  }
  return {AdminFault::unknown_key,
          header.kid
              ? fmt::format("no key has its kid, {}, and is for its alg, {}", shown(*header.kid), shown(header.alg))
              : fmt::format("no key is for its alg, {}; it has no kid", shown(header.alg))};
}

Result<void, AdminRefusal> check_signature(const AdminKeys& keys, const CompactJws& jws, const JoseHeader& header) {
  const auto algorithm = parse_algorithm(header.alg);
  if (!algorithm) return AdminRefusal{AdminFault::unknown_key, "its alg is unknown: " + shown(header.alg)};
  const auto signature = decode_base64url(jws.signature);
  if (!signature) return malformed("its signature is not base64url");
  bool any = false;
  for (const auto& key : keys.keys()) {
    if (!fits(key, *algorithm, header)) continue;
    if (key.verify(*algorithm, jws.signing_input, as_bytes(*signature))) return {};
    any = true;
  }
  if (!any) return no_key(keys.keys(), header);
  return AdminRefusal{
      AdminFault::bad_signature,
      "its signature is not that of " +
          (header.kid ? "the key " + shown(*header.kid) : "any key for " + std::string(to_string(*algorithm)))};
}

std::string_view to_string(AdminRole role) { return role == AdminRole::admin ? "admin" : "viewer"; }

}  // namespace

std::string_view to_string(AdminFault fault) {
  constexpr std::array<std::string_view, admin_fault_count> names = {
      "malformed",     "unknown key",  "bad signature",  "access key", "bad claims", "expired",
      "not yet valid", "wrong issuer", "wrong audience", "no subject", "no role"};
  return names[static_cast<std::size_t>(fault)];
}

namespace {

Error never_both() {
  return Error(ErrorCode::invalid,
               "a shared secret (admin_secret_file) and public keys (admin_keys) exclude each other: "
               "set one of them");
}

}  // namespace

Result<std::vector<SkippedKey>> AdminKeys::add_public_keys(std::string_view pem_or_jwks, AlgorithmSet rsa) {
  if (shared_secret_) return never_both();
  const std::size_t start = pem_or_jwks.find_first_not_of(" \t\r\n");
  const bool is_json = start != std::string_view::npos && pem_or_jwks[start] == '{';
  auto read = is_json ? read_jwks(pem_or_jwks, rsa) : read_public_key_pem(pem_or_jwks, rsa);
  if (!read) return read.error();
  std::move(read->keys.begin(), read->keys.end(), std::back_inserter(keys_));
  return std::move(read->skipped);
}

Result<void> AdminKeys::add_shared_secret(const Secret& secret) {
  if (!keys_.empty()) return never_both();
  auto key = VerificationKey::from_shared_secret(secret);
  if (!key) return key.error();
  keys_.push_back(std::move(*key));
  shared_secret_ = true;
  return {};
}

Result<void> AdminKeys::add_public_key(const Ed25519PublicKey& public_key) {
  if (shared_secret_) return never_both();
  auto key = VerificationKey::from_ed25519(public_key);
  if (!key) return key.error();
  keys_.push_back(std::move(*key));
  return {};
}

AdminVerifier::AdminVerifier(AdminTrust trust, AdminKeys keys)
    : trust_(std::move(trust)), current_(std::make_shared<const Generation>(Generation{1, std::move(keys)})) {}

void AdminVerifier::replace_keys(AdminKeys keys) {
  const MutexLock lock(mutex_);
  current_ = std::make_shared<const Generation>(Generation{current_->number + 1, std::move(keys)});
}

std::shared_ptr<const AdminVerifier::Generation> AdminVerifier::current() const {
  const MutexLock lock(mutex_);
  return current_;
}

std::uint64_t AdminVerifier::generation() const { return current()->number; }

Result<AdminIdentity, AdminRefusal> AdminVerifier::verify(std::string_view token, UnixMillis now) const {
  if (token.size() > max_admin_token_bytes) return malformed(fmt::format("it has {} bytes", token.size()));
  const auto jws = split_compact(token);
  if (!jws) return malformed("it does not have three parts, as a signed JWT has");
  const auto header = read_jose_header(jws->header);
  if (!header) return malformed("its header is no plain JOSE header");
  if (header->typ == access_token_type) return judge_access_key(token);
  if (header->typ && !is_admin_type(*header->typ)) return malformed("its typ is " + shown(*header->typ));
  if (auto checked = check_signature(current()->keys, *jws, *header); !checked) return checked.error();
  const auto payload = read_json_part(jws->payload, max_claims_depth);
  if (!payload) return AdminRefusal{AdminFault::bad_claims, "its claims are no JSON object that can be read"};
  return judge_admin_claims(*payload, trust_, now);
}

Secret mint_admin_token(const AdminTokenRequest& request, const Ed25519PrivateKey& key) {
  const json::object header{{"alg", "EdDSA"}, {"kid", thumbprint(key.public_key())}, {"typ", admin_token_type}};
  const std::int64_t issued_at = request.issued_at.seconds();
  json::object payload{{"sub", request.subject},
                       {"role", to_string(request.role)},
                       {"iat", issued_at},
                       {"exp", issued_at + request.lifetime.count()}};
  if (!request.issuer.empty()) payload["iss"] = request.issuer;
  if (!request.audience.empty()) payload["aud"] = request.audience;
  std::string token = encode_base64url(json::serialize(header)) + '.' + encode_base64url(json::serialize(payload));
  const Ed25519Signature signature = key.sign(token);
  return Secret(token + '.' + encode_base64url(signature));
}

}  // namespace latchkey::jwt
