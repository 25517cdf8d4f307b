// Admin tokens and key sets in the shapes in which identity providers publish them, through the gate: which are let in,
// and what the operator's log says of the others. The keys are made here; the shapes are those of the providers'
// documents.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "jwt/testing/test_signer.hpp"
#include "keys_service/admin_gate.hpp"

namespace latchkey::keys_service {
namespace {

using jwt::Algorithm;
using jwt::AlgorithmSet;
using jwt::TestSigner;
using testing::HasSubstr;

// Made once: an RSA key takes a second in a build without optimisation.
struct Signers {
  TestSigner rsa = TestSigner::rsa(), other_rsa = TestSigner::rsa(), weak_rsa = TestSigner::rsa(1024);
  TestSigner p256 = TestSigner::ec("P-256"), p384 = TestSigner::ec("P-384"), p521 = TestSigner::ec("P-521");
  TestSigner k256 = TestSigner::ec("secp256k1"), ed = TestSigner::ed25519();
};
const Signers& keys() {
  static const Signers made;
  return made;
}

// One set of keys and the settings beside it, and what of it is skipped.
struct Provider {
  std::string name, jwks;
  std::string issuer, audience, claim = "role", roles = "admin=admin,viewer=viewer";
  AlgorithmSet rsa = jwt::default_rsa_algorithms;
  std::vector<std::string> skipped{};  // a part of "name: reason", in order
};

struct Token {
  const char* name;
  const TestSigner& by;
  std::string header, claims;
  // Let in as "subject role", or refused: "401 " or "403 " and a part of the log line.
  std::string outcome;
};

constexpr UnixMillis now{1'767'225'600'000};

class ProviderTokens : public testing::Test {
 protected:
  void check(const Provider& provider, const std::vector<Token>& tokens) {
    jwt::AdminKeys made;
    const auto skipped = made.add_public_keys(provider.jwks, provider.rsa);
    ASSERT_TRUE(skipped) << provider.name << skipped.error().detail;
    ASSERT_EQ(skipped->size(), provider.skipped.size()) << provider.name;
    for (std::size_t i = 0; i < skipped->size(); ++i) {
      EXPECT_THAT((*skipped)[i].name + ": " + (*skipped)[i].reason, HasSubstr(provider.skipped[i])) << provider.name;
    }
    const jwt::RoleClaim role(provider.claim, jwt::parse_role_map(provider.roles).value());
    const jwt::AdminVerifier verifier({provider.issuer, provider.audience, role}, std::move(made));
    for (const auto& token : tokens) {
      SCOPED_TRACE(provider.name + ": " + token.name);
      EXPECT_EQ(outcome_of(verifier, token), token.outcome);
    }
  }

  // Of a refusal that is as awaited, the awaited text itself; else all that is known of it.
  static std::string outcome_of(const jwt::AdminVerifier& verifier, const Token& token) {
    const ManualClock clock(now);
    std::vector<std::string> lines;
    AdminGate gate(verifier, clock, [&](std::string_view line) { lines.emplace_back(line); });
    const std::string text = token.by.token(token.header, token.claims);
    const std::string bearer = "Bearer " + text;
    const http::Header header{"Authorization", bearer};
    http::Request request;
    request.headers = {&header, 1};
    const auto admitted = gate.admit(request, jwt::AdminRole::viewer);
    if (admitted) {
      EXPECT_TRUE(lines.empty());
      return admitted->subject + (admitted->role == jwt::AdminRole::admin ? " admin" : " viewer");
    }
    EXPECT_EQ(lines.size(), 1U);
    const std::string line = lines.empty() ? "" : lines[0];
    EXPECT_EQ(line.find(text.substr(text.rfind('.') + 1)), std::string::npos) << "a token in the log";
    EXPECT_LT(line.size(), 600U);
    const std::string found = fmt::format("{} {}", admitted.error().status, line);
    return found.starts_with(token.outcome.substr(0, 4)) && line.find(token.outcome.substr(4)) != std::string::npos
               ? token.outcome
               : found;
  }
};

std::string in(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

TEST_F(ProviderTokens, Keycloak) {
  const std::string jwks =
      jwt::jwk_set({keys().other_rsa.jwk(R"("kid":"enc1","use":"enc","alg":"RSA-OAEP","x5c":["MIIC"],"x5t":"a")"),
                    keys().rsa.jwk(R"("kid":"sig1","use":"sig","alg":"RS256","x5c":["MIIC"],"x5t#S256":"b")")});
  const std::string head = R"({"alg":"RS256","typ":"JWT","kid":"sig1"})";
  const std::string claims =
      R"({"exp":1767225900,"iat":1767225600,"jti":"onrtro:1","iss":"https://sso.example/realms/main","aud":["latchkey","account"],)"
      R"("sub":"f:1:ada","typ":"Bearer","azp":"console","realm_access":{"roles":["offline_access","net-admins"]},)"
      R"("resource_access":{"my.client":{"roles":["auditors"]}},"scope":"openid"})";
  const std::string robot =
      in(in(claims, R"("sub":"f:1:ada",)", ""), "\"azp\":\"console\"", R"("client_id":"robot","azp":"robot")");
  const Provider realm{"keycloak",
                       jwks,
                       "https://sso.example/realms/main",
                       "latchkey",
                       "realm_access.roles",
                       "net-admins=admin,auditors=viewer",
                       jwt::default_rsa_algorithms,
                       {"key 1 (kid \"enc1\"): its use is not sig"}};
  check(
      realm,
      {
          {"a person", keys().rsa, head, claims, "f:1:ada admin"},
          {"a lightweight token of a client", keys().rsa, head, robot, "robot admin"},
          {"no role of ours", keys().rsa, head, in(claims, "net-admins", "users"),
           "403 no role: its claim \"realm_access.roles\""},
          {"the lower of two", keys().rsa, head, in(claims, "net-admins", "auditors"), "f:1:ada viewer"},
          {"the higher of two", keys().rsa, head, in(claims, "offline_access", "auditors"), "f:1:ada admin"},
          {"the higher first", keys().rsa, head,
           in(claims, R"("offline_access","net-admins")", R"("net-admins","auditors")"), "f:1:ada admin"},
          {"no realm_access", keys().rsa, head, in(claims, "realm_access", "realm"), "403 no role"},
          {"roles is no list", keys().rsa, head, in(claims, R"(["offline_access","net-admins"])", "7"), "403 no role"},
          {"the realm of others", keys().rsa, head, in(claims, "realms/main", "realms/dev"),
           "401 wrong issuer: its iss is \"https://sso.example/realms/dev\""},
          {"for another client", keys().rsa, head, in(claims, "\"latchkey\",", ""),
           "401 wrong audience: its aud is \"[\"account\"]\""},
          {"expired", keys().rsa, head, in(claims, "1767225900", "1767225588"), "401 expired: it expired 12 s ago"},
          {"of the future", keys().rsa, head, in(claims, "\"iat\":1767225600", "\"iat\":1767225700"),
           "401 not yet valid: its iat lies 100 s ahead"},
          {"signed by the key for encryption", keys().other_rsa, in(head, "sig1", "enc1"), claims,
           "401 unknown key: no key has its kid, \"enc1\""},
          {"by another key", keys().other_rsa, head, claims,
           "401 bad signature: its signature is not that of the key \"sig1\""},
          {"a refresh token (HS512)", keys().rsa, in(head, "RS256", "RS512"), claims,
           "401 unknown key: the key with its kid, \"sig1\", is not for its alg, \"RS512\""},
      });
  Provider client = realm;
  client.claim = "resource_access.my.client.roles";
  check(client, {{"a client with dots in its name", keys().rsa, head, claims, "f:1:ada viewer"}});
  const Provider fapi{"keycloak with PS256 and ES256",
                      jwt::jwk_set({keys().rsa.jwk(R"("kid":"ps","use":"sig","alg":"PS256")"),
                                    keys().p256.jwk(R"("kid":"es","use":"sig","alg":"ES256")")}),
                      realm.issuer,
                      realm.audience,
                      realm.claim,
                      realm.roles};
  check(fapi, {
                  {"PS256", keys().rsa, R"({"alg":"PS256","typ":"JWT","kid":"ps"})", claims, "f:1:ada admin"},
                  {"ES256", keys().p256, R"({"alg":"ES256","typ":"JWT","kid":"es"})", claims, "f:1:ada admin"},
                  {"RS256 by the key for PS256", keys().rsa, R"({"alg":"RS256","typ":"JWT","kid":"ps"})", claims,
                   "401 unknown key"},
                  {"without a kid", keys().p256, R"({"alg":"ES256","typ":"JWT"})", claims, "f:1:ada admin"},
              });
}

TEST_F(ProviderTokens, Auth0) {
  const std::string jwks =
      jwt::jwk_set({keys().rsa.jwk(R"("alg":"RS256","use":"sig","kid":"NjVB","x5t":"NjVB","x5c":["MIIDDT"])"),
                    keys().other_rsa.jwk(R"("alg":"RS256","use":"sig","kid":"next","x5t":"n","x5c":["MIIDDT"])")});
  const std::string head = R"({"alg":"RS256","typ":"at+jwt","kid":"NjVB"})";
  const std::string claims =
      R"({"https://latchkey.example/roles":["Support","Admins"],"iss":"https://acme.eu.auth0.com/","sub":"auth0|5f7c8ec7",)"
      R"("aud":["https://latchkey.example","https://acme.eu.auth0.com/userinfo"],"iat":1767225600,"exp":1767312000,)"
      R"("scope":"openid profile","azp":"my_client_id","permissions":["keys:read","keys:write"]})";
  const Provider roles{"auth0",
                       jwks,
                       "https://acme.eu.auth0.com/",
                       "https://latchkey.example",
                       "https://latchkey.example/roles",
                       "Admins=admin,Support=viewer"};
  check(
      roles,
      {
          {"RFC 9068 profile", keys().rsa, head, claims, "auth0|5f7c8ec7 admin"},
          {"Auth0 profile", keys().rsa, in(head, "at+jwt", "JWT"), claims, "auth0|5f7c8ec7 admin"},
          {"application/at+jwt", keys().rsa, in(head, "at+jwt", "application/at+jwt"), claims, "auth0|5f7c8ec7 admin"},
          {"in capitals", keys().rsa, in(head, "at+jwt", "AT+JWT"), claims, "auth0|5f7c8ec7 admin"},
          {"the next key", keys().other_rsa, in(head, "NjVB", "next"), claims, "auth0|5f7c8ec7 admin"},
          {"machine to machine", keys().rsa, head, in(claims, "auth0|5f7c8ec7", "my_client_id@clients"),
           "my_client_id@clients admin"},
          {"an id token", keys().rsa, in(head, "at+jwt", "JWT"),
           in(claims, "[\"https://latchkey.example\",\"https://acme.eu.auth0.com/userinfo\"]", "\"my_client_id\""),
           "401 wrong audience: its aud is \"my_client_id\""},
          {"the issuer without its slash", keys().rsa, head, in(claims, "auth0.com/\",\"sub\"", "auth0.com\",\"sub\""),
           "401 wrong issuer"},
          {"a logout token", keys().rsa, in(head, "at+jwt", "logout+jwt"), claims,
           "401 malformed: its typ is \"logout+jwt\""},
          {"a key of its own", keys().rsa, in(head, "\"kid\"", R"("jwk":{},"kid")"), claims,
           "401 malformed: its header"},
      });
  Provider permissions = roles;
  permissions.claim = "permissions";
  permissions.roles = "keys:write=admin,keys:read=viewer";
  check(permissions, {{"permissions", keys().rsa, head, claims, "auth0|5f7c8ec7 admin"},
                      {"read only", keys().rsa, head, in(claims, ",\"keys:write\"", ""), "auth0|5f7c8ec7 viewer"}});
}

TEST_F(ProviderTokens, EntraId) {
  const std::string jwks = jwt::jwk_set(
      {keys().rsa.jwk(
           R"("use":"sig","kid":"-KI3Q9nNR7bRofxmeZoXqbHZGew","x5t":"-KI3","x5c":["MIID"],"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0","cloud_instance_name":"microsoftonline.com")"),
       keys().other_rsa.jwk(R"("use":"sig","kid":"kWbk","x5t":"kWbk","x5c":["MIID"])")});
  const std::string head = R"({"typ":"JWT","alg":"RS256","x5t":"-KI3","kid":"-KI3Q9nNR7bRofxmeZoXqbHZGew"})";
  const std::string claims =
      R"({"aud":"6e74172b-be56-4843-9ff4-e66a39bb12e3","iss":"https://login.microsoftonline.com/72f988bf/v2.0","iat":1767225600,)"
      R"("nbf":1767225600,"exp":1767229200,"aio":"AXQA","azp":"f8b2","azpacr":"0","name":"Ada","oid":"690222be","rh":"I",)"
      R"("roles":["Keys.Manage"],"scp":"access_as_user","sub":"HKZpfaHyWadeOouYlitjrI","tid":"72f988bf","uti":"fqiB","ver":"2.0"})";
  const std::string issuer = "https://login.microsoftonline.com/72f988bf/v2.0",
                    audience = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
  const Provider entra{"entra", jwks, issuer, audience, "roles", "Keys.Manage=admin,Keys.Read=viewer"};
  std::string groups = "\"0b1d9e6c-0000-4d0e-8f5e-000000000000\"";
  for (int i = 1; i < 200; ++i) groups += fmt::format(",\"0b1d9e6c-0000-4d0e-8f5e-{:012}\"", i);
  const std::string in_many_groups = in(claims, "\"roles\":[\"Keys.Manage\"]", "\"groups\":[" + groups + "]");
  check(entra,
        {
            {"an app role", keys().rsa, head, claims, "HKZpfaHyWadeOouYlitjrI admin"},
            {"read only", keys().rsa, head, in(claims, "Keys.Manage", "Keys.Read"), "HKZpfaHyWadeOouYlitjrI viewer"},
            {"no app role", keys().rsa, head, in(claims, "\"roles\":[\"Keys.Manage\"],", ""),
             "403 no role: its claim \"roles\""},
            {"version 1", keys().rsa, head,
             in(claims, "login.microsoftonline.com/72f988bf/v2.0", "sts.windows.net/72f988bf/"),
             "401 wrong issuer: its iss is \"https://sts.windows.net/72f988bf/\""},
            {"another tenant", keys().rsa, head, in(claims, "com/72f988bf", "com/11111111"), "401 wrong issuer"},
            {"the audience as a URI", keys().rsa, head, in(claims, "\"aud\":\"6e74172b", "\"aud\":\"api://6e74172b"),
             "401 wrong audience"},
            {"a token for Graph", keys().rsa, in(head, "\"typ\"", R"("nonce":"x","typ")"),
             in(claims, "6e74172b-be56-4843-9ff4-e66a39bb12e3", "00000003-0000-0000-c000-000000000000"),
             "401 wrong audience"},
            {"RS384, which nobody allowed", keys().rsa, in(head, "RS256", "RS384"), claims,
             "401 unknown key: the key with its kid"},
            {"in 200 groups, of which none gives a role", keys().rsa, head, in_many_groups, "403 no role"},
        });
  Provider by_group = entra;
  by_group.claim = "groups";
  by_group.roles = "0b1d9e6c-0000-4d0e-8f5e-000000000199=admin";
  check(by_group, {{"in 200 groups (12 KB)", keys().rsa, head, in_many_groups, "HKZpfaHyWadeOouYlitjrI admin"}});
}

TEST_F(ProviderTokens, Okta) {
  const std::string jwks = jwt::jwk_set(
      {keys().rsa.jwk(R"("alg":"RS256","kid":"U5R8cHbGw445Qbq8zVO1PcCpXL8yG6IcovVa3laCoxM","use":"sig")")});
  const std::string head = R"({"kid":"U5R8cHbGw445Qbq8zVO1PcCpXL8yG6IcovVa3laCoxM","alg":"RS256"})";
  const std::string claims =
      R"({"ver":1,"jti":"AT.0mP4","iss":"https://acme.okta.com/oauth2/default","aud":"api://default","iat":1767225600,"exp":1767229200,)"
      R"("cid":"nmdP1fcyvdVO11AL7ECm","uid":"00ucmukel4KHsPARU0h7","scp":["openid"],"sub":"ada@example.com","groups":["Everyone","Key admins"]})";
  check({"okta", jwks, "https://acme.okta.com/oauth2/default", "api://default", "groups", "Key admins=admin"},
        {
            {"a custom authorization server", keys().rsa, head, claims, "ada@example.com admin"},
            {"as at+jwt", keys().rsa, in(head, "\"alg\"", R"("typ":"at+jwt","alg")"), claims, "ada@example.com admin"},
            {"Everyone", keys().rsa, head, in(claims, ",\"Key admins\"", ""), "403 no role"},
            {"the org server", keys().rsa, in(head, "\"alg\"", R"("typ":"application/okta-internal-at+jwt","alg")"),
             claims, "401 malformed: its typ is \"application/okta-internal-at+jwt\""},
            {"after a rotation that was not fetched", keys().rsa, in(head, "U5R8", "V5R8"), claims,
             "401 unknown key: no key has its kid, \"V5R8cHbGw"},
            {"without exp", keys().rsa, head, in(claims, ",\"exp\":1767229200", ""), "401 bad claims: it has no exp"},
        });
}

TEST_F(ProviderTokens, Cognito) {
  const std::string jwks = jwt::jwk_set({keys().rsa.jwk(R"("alg":"RS256","kid":"abc+1/=","use":"sig")"),
                                         keys().other_rsa.jwk(R"("alg":"RS256","kid":"def","use":"sig")")});
  const std::string head = R"({"kid":"abc+1/=","alg":"RS256"})";
  const std::string claims =
      R"({"sub":"aaaaaaaa-bbbb","cognito:groups":["key-admins"],"iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x",)"
      R"("version":2,"client_id":"xxxexample","token_use":"access","scope":"aws.cognito.signin.user.admin","auth_time":1767225600,)"
      R"("exp":1767229200,"iat":1767225600,"username":"ada"})";
  const std::string issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x";
  const Provider pool{"cognito", jwks, issuer, "", "cognito:groups", "key-admins=admin"};
  check(pool,
        {
            {"an access token", keys().rsa, head, claims, "aaaaaaaa-bbbb admin"},
            {"client credentials", keys().rsa, head, in(claims, R"("sub":"aaaaaaaa-bbbb",)", ""), "xxxexample admin"},
            {"no groups", keys().rsa, head, in(claims, "cognito:groups", "groups"),
             "403 no role: its claim \"cognito:groups\""},
            {"the other key's name", keys().rsa, in(head, "abc+1/=", "def"), claims, "401 bad signature"},
        });
  Provider for_audience = pool;
  for_audience.audience = "xxxexample";
  check(for_audience,
        {{"an access token has no aud", keys().rsa, head, claims,
          "401 wrong audience: its aud is missing, without \"xxxexample\""},
         {"an id token has", keys().rsa, head, in(claims, "\"client_id\"", "\"aud\""), "aaaaaaaa-bbbb admin"}});
}

TEST_F(ProviderTokens, ZitadelAndDex) {
  const std::string head = R"({"alg":"RS256","kid":"25198","typ":"JWT"})";
  const std::string claims =
      R"({"aud":["258390","258391"],"client_id":"258390@main","exp":1767268800,"iat":1767225600,"iss":"https://acme.zitadel.cloud",)"
      R"("jti":"V2","nbf":1767225600,"sub":"258388","urn:zitadel:iam:org:project:roles":{"key-admin":{"2583":"acme.zitadel.cloud"}},"roles":"key-admin"})";
  const Provider zitadel{"zitadel",
                         jwt::jwk_set({keys().rsa.jwk(R"("use":"sig","kid":"25198","alg":"RS256")")}),
                         "https://acme.zitadel.cloud",
                         "258391",
                         "roles",
                         "key-admin=admin"};
  check(zitadel,
        {
            {"a role by an action", keys().rsa, head, claims, "258388 admin"},
            {"a list of one", keys().rsa, head, in(claims, "\"key-admin\"}", "[\"key-admin\"]}"), "258388 admin"},
            {"at+jwt", keys().rsa, in(head, "JWT", "at+jwt"), claims, "258388 admin"},
        });
  Provider as_object = zitadel;
  as_object.claim = "urn:zitadel:iam:org:project:roles";
  check(as_object, {{"its own claim is an object: neither string nor list", keys().rsa, head, claims, "403 no role"}});

  const std::string dex =
      R"({"iss":"https://dex.example/dex","sub":"CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjY","aud":"latchkey","exp":1767312000,)"
      R"("iat":1767225600,"at_hash":"x","email":"ada@example.com","email_verified":true,"groups":["acme:admins"],"name":"ada"})";
  const std::string dex_head = R"({"alg":"RS256","kid":"e5f8"})";
  check({"dex",
         jwt::jwk_set({keys().rsa.jwk(R"("use":"sig","kid":"e5f8","alg":"RS256")"),
                       keys().other_rsa.jwk(R"("use":"sig","kid":"old","alg":"RS256")")}),
         "https://dex.example/dex", "latchkey", "groups", "acme:admins=admin"},
        {
            {"no typ", keys().rsa, dex_head, dex, "CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjY admin"},
            {"the key of before", keys().other_rsa, in(dex_head, "e5f8", "old"), dex,
             "CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjY admin"},
            {"not in the team", keys().rsa, dex_head, in(dex, "acme:admins", "acme"), "403 no role"},
        });
}

constexpr std::string_view plain = R"({"sub":"ops","role":"admin","exp":1767312000})";

TEST_F(ProviderTokens, EveryAlgorithm) {
  check({"EdDSA by its new name", jwt::jwk_set({keys().ed.jwk(R"("kid":"e","alg":"Ed25519","use":"sig")")}), "", ""},
        {{"Ed25519", keys().ed, R"({"alg":"Ed25519","kid":"e"})", std::string(plain), "ops admin"},
         {"EdDSA", keys().ed, R"({"alg":"EdDSA","kid":"e","typ":"jwt"})", std::string(plain), "ops admin"}});
  check(
      {"by its old name", jwt::jwk_set({keys().ed.jwk(R"("alg":"EdDSA")")}), "", ""},
      {{"Ed25519", keys().ed, R"({"alg":"Ed25519"})", std::string(plain), "ops admin"},
       {"claims nested deep", keys().ed, R"({"alg":"EdDSA"})",
        in(plain, "{", "{\"a\":" + std::string(20, '[') + std::string(20, ']') + ','), "ops admin"},
       {"no subject at all", keys().ed, R"({"alg":"EdDSA"})", in(plain, "\"sub\":\"ops\",", ""), "401 no subject"},
       {"the subject of a holder", keys().ed, R"({"alg":"EdDSA"})", in(plain, "ops", "key:0198b2c4"), "401 no subject"},
       {"claims that are a list", keys().ed, R"({"alg":"EdDSA"})", "[]", "401 bad claims"}});
  check({"curves", jwt::jwk_set({keys().p256.jwk(), keys().p384.jwk(), keys().p521.jwk()}), "", ""},
        {{"ES256", keys().p256, R"({"alg":"ES256"})", std::string(plain), "ops admin"},
         {"ES384", keys().p384, R"({"alg":"ES384"})", std::string(plain), "ops admin"},
         {"ES512", keys().p521, R"({"alg":"ES512"})", std::string(plain), "ops admin"},
         {"RS256 where there is no RSA key", keys().rsa, R"({"alg":"RS256"})", std::string(plain),
          "401 unknown key: no key is for its alg, \"RS256\"; it has no kid"}});
  check({"RSA without alg", jwt::jwk_set({keys().rsa.jwk()}), "", ""},
        {{"RS256", keys().rsa, R"({"alg":"RS256"})", std::string(plain), "ops admin"},
         {"PS256", keys().rsa, R"({"alg":"PS256"})", std::string(plain), "401 unknown key"}});
  check({"RSA, more allowed", jwt::jwk_set({keys().rsa.jwk()}), "", "", "role", "admin=admin",
         jwt::parse_rsa_algorithms("RS384,RS512,PS256,PS384,PS512").value()},
        {{"RS256", keys().rsa, R"({"alg":"RS256"})", std::string(plain), "ops admin"},
         {"RS384", keys().rsa, R"({"alg":"RS384"})", std::string(plain), "ops admin"},
         {"RS512", keys().rsa, R"({"alg":"RS512"})", std::string(plain), "ops admin"},
         {"PS256", keys().rsa, R"({"alg":"PS256"})", std::string(plain), "ops admin"},
         {"PS384", keys().rsa, R"({"alg":"PS384"})", std::string(plain), "ops admin"},
         {"PS512", keys().rsa, R"({"alg":"PS512"})", std::string(plain), "ops admin"}});
}

TEST_F(ProviderTokens, OddKeysAreSkippedAndNamed) {
  auto short_x = keys().p256.jwk(R"("kid":"short")");
  short_x["x"] = jwt::encode_base64url(std::string(31, 'x'));
  auto padded = keys().other_rsa.jwk(R"("kid":"padded")");
  padded["n"] = std::string(padded["n"].as_string()) + "==";
  auto crossed = keys().p256.jwk(R"("kid":"crossed","alg":"ES384")");
  auto secret = json::object{{"kty", "oct"}, {"kid", "secret"}, {"k", "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}};
  auto private_key = keys().other_rsa.jwk(R"("kid":"private","d":"AA")");
  const std::string jwks = jwt::jwk_set({short_x, keys().weak_rsa.jwk(R"("kid":"weak")"), padded, crossed, secret,
                                         private_key, json::object{{"kty", "EC"}, {"crv", "secp256k1"}, {"kid", "btc"}},
                                         keys().rsa.jwk(R"("kid":"good")")});
  const std::string claims(plain);
  check({"odd",
         jwks,
         "",
         "",
         "role",
         "admin=admin",
         jwt::default_rsa_algorithms,
         {"key 1 (kid \"short\"): an EC key on P-256 needs x and y, 32 bytes each",
          "key 2 (kid \"weak\"): an RSA key must have 2048 to 8192 bits",
          "key 3 (kid \"padded\"): an RSA key needs n and e as base64url without padding",
          "key 4 (kid \"crossed\"): its alg, ES384, is not for a key of this kind",
          "key 5 (kid \"secret\"): it is a secret", "key 6 (kid \"private\"): it is a private key",
          "key 7 (kid \"btc\"): an EC key must be on P-256, P-384 or P-521"}},
        {{"the good one", keys().rsa, R"({"alg":"RS256","kid":"good"})", claims, "ops admin"},
         {"the weak one", keys().weak_rsa, R"({"alg":"RS256","kid":"weak"})", claims,
          "401 unknown key: no key has its kid, \"weak\""},
         {"the private one", keys().other_rsa, R"({"alg":"RS256","kid":"private"})", claims, "401 unknown key"}});
  jwt::AdminKeys none;
  const auto refused = none.add_public_keys(jwt::jwk_set({short_x, padded}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("no key that can be used: key 1 (kid \"short\")"));
}

}  // namespace
}  // namespace latchkey::keys_service
