#include "jwt/admin_token.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <thread>

#include "jwt/access_token.hpp"
#include "jwt/testing/hand_made_token.hpp"
#include "jwt/testing/rfc7515_vectors.hpp"

namespace latchkey::jwt {
namespace {

constexpr UnixMillis now{1'767'225'600'000};
constexpr std::string_view okp_jwks =
    R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
constexpr std::string_view header = R"({"alg":"EdDSA","typ":"JWT"})";
constexpr std::string_view payload =
    R"({"sub":"root","role":"admin","exp":1767225601,"iat":1767225600,"nbf":1767225600,"iss":"idp","aud":"latchkey"})";

AdminKeys keys_of(std::string_view text) {
  AdminKeys keys;
  EXPECT_TRUE(keys.add_public_keys(text));
  return keys;
}

AdminVerifier verifier(AdminTrust trust = {"idp", "latchkey"}) { return {std::move(trust), keys_of(okp_jwks)}; }

std::string with(std::string_view from, std::string_view to, std::string_view in = payload) {
  std::string text(in);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string signed_admin(std::string_view head, std::string_view claims) {
  return signed_with(rfc8037_key(), head, claims);
}

std::optional<AdminFault> admin_fault_of(std::string_view token, const AdminVerifier& by = verifier()) {
  const auto identity = by.verify(token, now);
  return identity ? std::nullopt : std::optional(identity.error().fault);
}

std::string with_hmac(std::string_view secret, std::string_view head, std::string_view claims) {
  const std::string input = hand_made_input(head, claims);
  std::array<std::uint8_t, 32> mac{};
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), as_bytes(input).data(), input.size(), mac.data(),
       nullptr);
  return input + '.' + encode_base64url(mac);
}

TEST(AdminToken, ComesBackAsItWasMinted) {
  for (const auto role : {AdminRole::admin, AdminRole::viewer}) {
    const AdminTokenRequest request{"ops", role, "idp", "latchkey", now, std::chrono::hours(12)};
    const auto token = mint_admin_token(request, rfc8037_key());
    const auto identity = verifier().verify(token.reveal(), now);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->subject, "ops");
    EXPECT_EQ(identity->role, role);
    EXPECT_TRUE(verifier().verify(token.reveal(), {now.count + 12 * 3'600'000 - 1}));
    EXPECT_FALSE(verifier().verify(token.reveal(), {now.count + 12 * 3'600'000}));
    EXPECT_EQ(admin_fault_of(token.reveal(), verifier({"", ""})), std::nullopt);
  }
  const auto plain = mint_admin_token({"ops", AdminRole::admin, "", "", now, std::chrono::seconds(1)}, rfc8037_key());
  EXPECT_EQ(admin_fault_of(plain.reveal(), verifier({"", ""})), std::nullopt);
  EXPECT_EQ(admin_fault_of(plain.reveal(), verifier({"idp", ""})), AdminFault::wrong_issuer);
  EXPECT_EQ(admin_fault_of(plain.reveal(), verifier({"", "latchkey"})), AdminFault::wrong_audience);
}

TEST(AdminToken, IsHeldToItsTimes) {
  const std::vector<std::string> good = {payload.data(),
                                         with("1767225601", "1767225600.001"),
                                         with("1767225601", "1e300"),
                                         with("\"iat\":1767225600", "\"iat\":1767225630"),
                                         with("\"nbf\":1767225600", "\"nbf\":1767225630"),
                                         with("\"nbf\":1767225600,", ""),
                                         with("\"iat\":1767225600,", ""),
                                         with("\"nbf\":1767225600", "\"nbf\":0")};
  for (const auto& claims : good) EXPECT_EQ(admin_fault_of(signed_admin(header, claims)), std::nullopt) << claims;
  using enum AdminFault;
  const std::vector<std::pair<std::string, AdminFault>> bad = {
      {with("1767225601", "1767225600"), expired},
      {with("1767225601", "1767225599"), expired},
      {with("1767225601", "-1"), bad_claims},
      {with("1767225601", "0"), expired},
      {with("1767225601", "\"1767225601\""), bad_claims},
      {with("1767225601", "null"), bad_claims},
      {with("1767225601", "[1767225601]"), bad_claims},
      {with("1767225601", "1e999"), bad_claims},
      {with("\"exp\":1767225601,", ""), bad_claims},
      {with("\"nbf\":1767225600", "\"nbf\":1767225631"), not_yet_valid},
      {with("\"nbf\":1767225600", "\"nbf\":null"), bad_claims},
      {with("\"nbf\":1767225600", "\"nbf\":\"0\""), bad_claims},
      {with("\"iat\":1767225600", "\"iat\":1767225631"), not_yet_valid},
      {with("\"iat\":1767225600", "\"iat\":true"), bad_claims},
      {with("\"iat\":1767225600", "\"iat\":-1"), bad_claims}};
  for (const auto& [claims, fault] : bad) EXPECT_EQ(admin_fault_of(signed_admin(header, claims)), fault) << claims;
}

TEST(AdminToken, IsForThisIssuerAndAudience) {
  for (const char* audience : {R"(["latchkey"])", R"(["other","latchkey"])"}) {
    EXPECT_EQ(admin_fault_of(signed_admin(header, with("\"aud\":\"latchkey\"", fmt::format("\"aud\":{}", audience)))),
              std::nullopt)
        << audience;
  }
  for (const char* audience : {R"("Latchkey")", R"("latchkey ")", "[]", R"(["other"])", R"([["latchkey"]])", "null",
                               "1", R"({"latchkey":1})"}) {
    EXPECT_EQ(admin_fault_of(signed_admin(header, with("\"aud\":\"latchkey\"", fmt::format("\"aud\":{}", audience)))),
              AdminFault::wrong_audience)
        << audience;
  }
  for (const char* issuer : {R"("IDP")", R"("idp/")", R"(["idp"])", "null"}) {
    EXPECT_EQ(admin_fault_of(signed_admin(header, with("\"idp\"", issuer))), AdminFault::wrong_issuer) << issuer;
  }
  EXPECT_EQ(admin_fault_of(signed_admin(header, with(",\"aud\":\"latchkey\"", ""))), AdminFault::wrong_audience);
  EXPECT_EQ(admin_fault_of(signed_admin(header, with("\"iss\":\"idp\",", ""))), AdminFault::wrong_issuer);
}

TEST(AdminToken, NamesASubject) {
  for (const char* subject : {R"("auth0|123")", R"("ops@example.com")", R"("Zo\u00eb")", R"("a b")"}) {
    EXPECT_EQ(admin_fault_of(signed_admin(header, with("\"root\"", subject))), std::nullopt) << subject;
  }
  const std::string long_subject = '"' + std::string(256, 's') + '"';
  for (const char* subject : {R"("")", "1", "null", R"(["root"])", R"("a\nb")", R"("a\u0000")", R"("a\u009bb")",
                              R"("key:0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d")", long_subject.c_str()}) {
    EXPECT_EQ(admin_fault_of(signed_admin(header, with("\"root\"", subject))), AdminFault::no_subject) << subject;
  }
}

TEST(AdminToken, WithoutASubjectNamesItsClientOrIssuer) {
  const auto subject = [](std::string_view instead) {
    const auto identity = verifier().verify(signed_admin(header, with("\"sub\":\"root\",", instead)), now);
    return identity ? identity->subject : std::string(to_string(identity.error().fault));
  };
  EXPECT_EQ(subject(R"("azp":"spa","client_id":"robot",)"), "robot");
  EXPECT_EQ(subject(R"("client_id":7,"azp":"spa",)"), "spa");
  EXPECT_EQ(subject(""), "idp");
  EXPECT_EQ(subject(R"("sub":null,"client_id":"robot",)"), "no subject");
  EXPECT_EQ(subject(R"("client_id":"key:x",)"), "no subject");
}

TEST(AdminToken, HasARoleOrIsForbidden) {
  for (const char* role : {R"("Admin")", R"("user")", R"("")", "null", "1", R"(["Admin"])", R"({"admin":1})",
                           R"("admin ")", "[]", R"([["admin"]])"}) {
    EXPECT_EQ(admin_fault_of(signed_admin(header, with("\"admin\"", role))), AdminFault::no_role) << role;
  }
  EXPECT_EQ(admin_fault_of(signed_admin(header, with("\"role\":\"admin\",", ""))), AdminFault::no_role);
  EXPECT_EQ(admin_fault_of(signed_admin(header, with("1767225601", "1", with("\"admin\"", "\"user\"")))),
            AdminFault::expired);
}

TEST(AdminToken, HeaderRefusesTricks) {
  const auto made = verifier();
  for (const char* head : {R"({"alg":"none"})",
                           R"({"alg":"None"})",
                           R"({"alg":"eddsa"})",
                           R"({"alg":null})",
                           R"({"alg":["EdDSA"]})",
                           R"({"typ":"JWT"})",
                           R"({"alg":"ES256"})",
                           R"({"alg":"HS256"})",
                           R"({"alg":"RS256"})",
                           R"({"alg":"EdDSA","alg":"EdDSA"})",
                           R"({"alg":"EdDSA","kid":1})",
                           R"({"alg":"EdDSA","typ":null})",
                           R"({"alg":"EdDSA","typ":""})",
                           R"({"alg":"EdDSA","typ":"at_jwt"})",
                           R"({"alg":"EdDSA","typ":"application/"})",
                           R"({"alg":"EdDSA","typ":"text/jwt"})",
                           R"({"alg":"EdDSA","typ":"application/application/jwt"})",
                           R"({"alg":"EdDSA","typ":"Latchkey+JWT"})",
                           R"({"alg":"EdDSA","typ":"application/latchkey+jwt"})",
                           R"({"alg":"EdDSA","crit":["x"],"x":1})",
                           R"({"alg":"EdDSA","b64":true})",
                           R"({"alg":"EdDSA","jku":"https://example.com"})",
                           R"({"alg":"EdDSA","jwk":{}})",
                           R"({"alg":"EdDSA","x5u":"u"})",
                           R"({"alg":"EdDSA","x5c":[]})",
                           R"({"alg":"EdDSA","zip":"DEF"})",
                           R"({"alg":"EdDSA","enc":"A128GCM"})",
                           "[]",
                           "",
                           "{"}) {
    const auto fault = admin_fault_of(signed_admin(head, payload), made);
    EXPECT_TRUE(fault == AdminFault::malformed || fault == AdminFault::unknown_key) << head;
  }
  for (const char* head :
       {R"({"alg":"EdDSA"})", R"({"alg":"Ed25519"})", R"({"typ":"JWT","alg":"EdDSA","kid":"any","x5t":"AA"})",
        R"({"alg":"EdDSA","typ":"jwt"})", R"({"alg":"EdDSA","typ":"at+jwt"})", R"({"alg":"EdDSA","typ":"AT+JWT"})",
        R"({"alg":"EdDSA","typ":"application/at+jwt"})", R"({"alg":"EdDSA","typ":"Application/JWT"})"}) {
    EXPECT_EQ(admin_fault_of(signed_admin(head, payload), made), std::nullopt) << head;
  }
}

TEST(AdminToken, StructureAndSignatureAreChecked) {
  const std::string token = signed_admin(header, payload);
  const std::string input = token.substr(0, token.rfind('.'));
  EXPECT_EQ(admin_fault_of(token), std::nullopt);
  std::string flipped = token;
  flipped[flipped.size() - 10] = flipped[flipped.size() - 10] == 'A' ? 'B' : 'A';
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), input, input + '.', token + '.', token + '=', ' ' + token,
        token + ".a", flipped, input + '.' + encode_base64url(std::string(64, '\0')),
        signed_with(Ed25519PrivateKey::generate(), header, payload), std::string(5000, 'a'), signed_admin(header, "[]"),
        signed_admin(header, "x"), signed_admin(header, with("{", "{\"role\":\"viewer\",")),
        signed_admin(header, with("{", "{\"x\":\"" + std::string(16 * 1024, 'x') + "\","))}) {
    const auto fault = admin_fault_of(bad);
    EXPECT_TRUE(fault == AdminFault::malformed || fault == AdminFault::bad_signature || fault == AdminFault::bad_claims)
        << bad;
  }
}

TEST(AdminToken, MayBeLongAndDeep) {
  EXPECT_EQ(admin_fault_of(signed_admin(header, with("{", "{\"groups\":\"" + std::string(10'000, 'g') + "\","))),
            std::nullopt);
  const auto nested = [](std::size_t depth) {
    return with("{", "{\"deep\":" + std::string(depth, '[') + std::string(depth, ']') + ',');
  };
  for (const std::size_t depth : {8U, 16U, 60U})
    EXPECT_EQ(admin_fault_of(signed_admin(header, nested(depth))), std::nullopt);
  EXPECT_EQ(admin_fault_of(signed_admin(header, nested(3000))), AdminFault::bad_claims);
}

TEST(AdminToken, AnAccessKeyIsTheWrongKind) {
  const AccessClaims claims{*KeyId::parse("0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d"), "alice", {1}, Role::user};
  const auto token = mint_access_token(claims, rfc8037_kid, rfc8037_key());
  EXPECT_EQ(admin_fault_of(token.reveal()), AdminFault::access_key);
  EXPECT_EQ(admin_fault_of(std::string(token.reveal()) + '='), AdminFault::malformed);
  // Claims that would do, in a token that says it is an access key.
  EXPECT_EQ(admin_fault_of(signed_admin(with("JWT", "latchkey+jwt", header), payload)), AdminFault::malformed);
  EXPECT_EQ(admin_fault_of(signed_admin(R"({"alg":"none","typ":"latchkey+jwt"})", payload)), AdminFault::malformed);
}

TEST(AdminVerifier, BindsTheAlgorithmToTheKey) {
  // The public key as an HMAC secret: what a verifier that trusts `alg` accepts (CVE-2015-9235).
  const auto public_key = rfc8037_key().public_key();
  const std::string_view raw(reinterpret_cast<const char*>(public_key.data()), public_key.size());
  const auto made = verifier();
  for (const std::string_view secret : {raw, okp_jwks}) {
    EXPECT_EQ(admin_fault_of(with_hmac(secret, R"({"alg":"HS256"})", payload), made), AdminFault::unknown_key);
    EXPECT_EQ(admin_fault_of(with_hmac(secret, R"({"alg":"EdDSA"})", payload), made), AdminFault::bad_signature);
  }
  const AdminVerifier rsa({}, keys_of(fmt::format("{{\"keys\":[{}]}}", rfc7515::a2_jwk)));
  EXPECT_EQ(admin_fault_of(with_hmac(rfc7515::a2_jwk, R"({"alg":"HS256"})", payload), rsa), AdminFault::unknown_key);
  EXPECT_EQ(admin_fault_of(signed_admin(header, payload), rsa), AdminFault::unknown_key);
}

TEST(AdminVerifier, TakesHs256WithASecretOnly) {
  const std::string secret(32, 'k');
  AdminKeys keys;
  EXPECT_FALSE(keys.add_shared_secret(Secret(std::string(31, 'k'))));
  EXPECT_TRUE(keys.empty());
  EXPECT_TRUE(keys.add_shared_secret(Secret(secret)));
  const AdminVerifier made({"idp", "latchkey"}, std::move(keys));
  const auto fault = [&](const std::string& by, const char* head) {
    return admin_fault_of(with_hmac(by, head, payload), made);
  };
  EXPECT_EQ(fault(secret, R"({"alg":"HS256"})"), std::nullopt);
  EXPECT_EQ(fault(std::string(32, 'j'), R"({"alg":"HS256"})"), AdminFault::bad_signature);
  EXPECT_EQ(fault(secret, R"({"alg":"HS512"})"), AdminFault::unknown_key);
}

TEST(AdminKeys, ASecretIsNeverBesidePublicKeys) {
  const Secret secret(std::string(32, 'k'));
  auto keys = keys_of(okp_jwks);
  EXPECT_FALSE(keys.add_shared_secret(secret));
  AdminKeys other;
  EXPECT_TRUE(other.add_shared_secret(secret));
  EXPECT_FALSE(other.add_public_keys(okp_jwks));
  EXPECT_FALSE(other.add_public_key(rfc8037_key().public_key()));
}

TEST(AdminVerifier, TriesOnlyTheNamedKeyWhereKeysHaveIds) {
  const auto named = [](std::string_view kid) {
    return keys_of(with("{\"kty\"", fmt::format("{{\"kid\":\"{}\",\"kty\"", kid), okp_jwks));
  };
  const auto token = signed_admin(R"({"alg":"EdDSA","kid":"k1"})", payload);
  EXPECT_EQ(admin_fault_of(token, {{}, named("k1")}), std::nullopt);
  EXPECT_EQ(admin_fault_of(token, {{}, named("k2")}), AdminFault::unknown_key);
  EXPECT_EQ(admin_fault_of(signed_admin(R"({"alg":"EdDSA"})", payload), {{}, named("k2")}), std::nullopt);
  auto both = named("k2");
  EXPECT_TRUE(both.add_public_keys(okp_jwks));  // the same key without an id
  EXPECT_EQ(admin_fault_of(token, {{}, std::move(both)}), std::nullopt);
}

TEST(AdminKeys, RefuseFilesTheyCannotUse) {
  AdminKeys made;
  for (const std::string_view text : {"", "  ", "{", "{}", "nonsense", R"({"keys":[{"kty":"oct","k":"AAAA"}]})"}) {
    EXPECT_FALSE(made.add_public_keys(text)) << text;
  }
  EXPECT_FALSE(made.add_public_keys(rfc8037_key().to_pem().reveal()));
  EXPECT_TRUE(made.empty());
}

TEST(AdminVerifier, KeysCanBeReplaced) {
  auto made = verifier();
  const std::string token = signed_admin(header, payload);
  const auto before = made.generation();
  AdminKeys others;
  EXPECT_TRUE(others.add_public_key(Ed25519PrivateKey::generate().public_key()));
  made.replace_keys(std::move(others));
  EXPECT_NE(made.generation(), before);
  EXPECT_EQ(admin_fault_of(token, made), AdminFault::bad_signature);
  made.replace_keys(keys_of(okp_jwks));
  EXPECT_EQ(admin_fault_of(token, made), std::nullopt);
}

TEST(AdminVerifier, MayBeAskedByManyThreads) {
  auto made = verifier();
  const std::string token = signed_admin(header, payload);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) EXPECT_EQ(admin_fault_of(token, made), std::nullopt);
    });
  }
  for (int n = 0; n < 50; ++n) made.replace_keys(keys_of(okp_jwks));
}

}  // namespace
}  // namespace latchkey::jwt
