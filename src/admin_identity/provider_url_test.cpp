#include "admin_identity/provider_url.hpp"

#include <gtest/gtest.h>

namespace latchkey::admin_identity {
namespace {

TEST(ProviderUrl, IsHttpsOrLoopback) {
  for (const std::string_view url :
       {"https://login.example/realms/a", "https://login.example", "https://10.0.0.1:8443/", "http://localhost:9000/x",
        "http://127.0.0.1", "http://[::1]:9000/", "https://login.example/keys?appid=1"}) {
    EXPECT_TRUE(check_provider_url(url)) << url;
  }
  for (const std::string_view url :
       {"", "login.example", "ftp://a/", "http://login.example/", "http://localhost.evil.example/",
        "http://127.0.0.1.evil/", "https://", "https:///x", "https://:443/", "https://user:secret@login.example/",
        "http://localhost@evil.example/", "https://login.example/#x", "https://login.example/a b",
        "https://login.example\\@evil", "file:///etc/passwd"}) {
    EXPECT_FALSE(check_provider_url(url)) << url;
  }
  EXPECT_EQ(check_provider_url("https://user:secret@login.example/").error().detail.find("secret"), std::string::npos);
}

TEST(ProviderUrl, HasAnOriginThatAPolicyCanSay) {
  EXPECT_EQ(*origin_of("https://login.example/realms/a"), "https://login.example");
  EXPECT_EQ(*origin_of("https://login.example:8443?x"), "https://login.example:8443");
  EXPECT_EQ(*origin_of("http://[::1]:9000/"), "http://[::1]:9000");
  for (const std::string_view url :
       {"https://a;script-src/", "https://a,b/", "https://a'/", "https://*/x", "https://a%20/"}) {
    EXPECT_FALSE(origin_of(url)) << url;
  }
}

TEST(ProviderUrl, FindsTheDiscoveryDocument) {
  EXPECT_EQ(discovery_url("https://a.example"), "https://a.example/.well-known/openid-configuration");
  EXPECT_EQ(discovery_url("https://a.example/"), "https://a.example/.well-known/openid-configuration");
  EXPECT_EQ(discovery_url("https://a.example/realms/x"), "https://a.example/realms/x/.well-known/openid-configuration");
}

TEST(ProviderUrl, BelievesADocumentOfItsOwnIssuerOnly) {
  const auto url = [](std::string_view document) {
    const auto found = jwks_url_in(document, "https://a.example/");
    return found ? *found : found.error().detail;
  };
  EXPECT_EQ(url(R"({"issuer":"https://a.example/","jwks_uri":"https://b.example/keys","x":[{"y":1}]})"),
            "https://b.example/keys");
  EXPECT_EQ(url(R"({"issuer":"https://a.example","jwks_uri":"https://b.example/keys"})"),
            "the discovery document is of the issuer \"https://a.example\", not of \"https://a.example/\"");
  EXPECT_NE(url(R"({"issuer":"https://a.example/","jwks_uri":"http://b.example/keys"})").find("must be https://"),
            std::string::npos);
  EXPECT_EQ(url(R"({"issuer":"https://a.example/","jwks_uri":7})"), "the discovery document has no jwks_uri");
  EXPECT_EQ(url(R"({"issuer":"https://a.example/"})"), "the discovery document has no jwks_uri");
  for (const std::string_view document : {"", "[]", "{", "<html>", "null"}) {
    EXPECT_EQ(url(document), "the discovery document is no JSON object") << document;
  }
}

TEST(ProviderUrl, KnowsAddressesThatAreNotPublic) {
  for (const std::string_view text :
       {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "::", "::1", "fd00::1", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "224.0.0.1",
        "255.255.255.255", "ff02::1"}) {
    EXPECT_TRUE(is_private(*IpAddress::parse(text))) << text;
  }
  for (const std::string_view text :
       {"8.8.8.8", "172.32.0.1", "192.169.0.1", "2606:4700::1", "100.128.0.1", "::ffff:8.8.8.8"}) {
    EXPECT_FALSE(is_private(*IpAddress::parse(text))) << text;
  }
}

}  // namespace
}  // namespace latchkey::admin_identity
