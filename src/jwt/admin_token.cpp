#include "jwt/admin_token.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <iterator>

#include "jwt/access_token.hpp"
#include "jwt/admin_claims.hpp"
#include "jwt/base64url.hpp"
#include "jwt/jose.hpp"
#include "jwt/public_keys.hpp"

namespace latchkey::jwt {
namespace {

constexpr std::string_view admin_token_type = "JWT";

// Of typ latchkey+jwt: a whole access key is the wrong kind, a broken one is only bad.
AdminFault judge_access_key(std::string_view token) {
  const auto parsed = parse_access_token(token);
  return parsed || parsed.error() == TokenFault::another_role ? AdminFault::access_key : AdminFault::invalid;
}

bool may_have_signed(const VerificationKey& key, const JoseHeader& header) {
  return header.alg == to_string(key.algorithm()) && (!header.kid || !key.kid || *header.kid == *key.kid);
}

std::string_view to_string(AdminRole role) { return role == AdminRole::admin ? "admin" : "viewer"; }

}  // namespace

struct AdminVerifier::Impl {
  AdminTrust trust;
  std::vector<VerificationKey> keys;

  bool is_signed(const CompactJws& jws, const JoseHeader& header) const {
    const auto signature = decode_base64url(jws.signature);
    return signature && std::any_of(keys.begin(), keys.end(), [&](const VerificationKey& key) {
             return may_have_signed(key, header) && key.verify(jws.signing_input, as_bytes(*signature));
           });
  }
};

AdminVerifier::AdminVerifier(AdminTrust trust) : impl_(std::make_unique<Impl>(Impl{std::move(trust), {}})) {}
AdminVerifier::~AdminVerifier() = default;
AdminVerifier::AdminVerifier(AdminVerifier&&) noexcept = default;

Result<void> AdminVerifier::add_public_keys(std::string_view pem_or_jwks) {
  const std::size_t start = pem_or_jwks.find_first_not_of(" \t\r\n");
  const bool is_json = start != std::string_view::npos && pem_or_jwks[start] == '{';
  auto keys = is_json ? read_jwks(pem_or_jwks) : read_public_key_pem(pem_or_jwks);
  if (!keys) return keys.error();
  std::move(keys->begin(), keys->end(), std::back_inserter(impl_->keys));
  return {};
}

Result<void> AdminVerifier::add_shared_secret(const Secret& secret) {
  auto key = VerificationKey::from_shared_secret(secret);
  if (!key) return key.error();
  impl_->keys.push_back(std::move(*key));
  return {};
}

Result<void> AdminVerifier::add_public_key(const Ed25519PublicKey& public_key) {
  auto key = VerificationKey::from_ed25519(public_key);
  if (!key) return key.error();
  impl_->keys.push_back(std::move(*key));
  return {};
}

bool AdminVerifier::empty() const { return impl_->keys.empty(); }

Result<AdminIdentity, AdminFault> AdminVerifier::verify(std::string_view token, UnixMillis now) const {
  if (token.size() > max_token_bytes) return AdminFault::invalid;
  const auto jws = split_compact(token);
  const auto header = jws ? read_jose_header(jws->header) : std::nullopt;
  if (!header) return AdminFault::invalid;
  if (header->typ == access_token_type) return judge_access_key(token);
  if (header->typ && *header->typ != admin_token_type) return AdminFault::invalid;
  if (!impl_->is_signed(*jws, *header)) return AdminFault::invalid;
  const auto payload = read_json_part(jws->payload);
  if (!payload) return AdminFault::invalid;
  return judge_admin_claims(*payload, impl_->trust, now);
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
