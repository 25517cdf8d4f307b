#include "access/trusted_proxies.hpp"

#include <gtest/gtest.h>

namespace latchkey::access {
namespace {

const TrustedProxies ours = TrustedProxies::parse("10.0.0.0/8, unix ,::1").value();

http::Peer at(std::string_view address) { return {.address = IpAddress::parse(address), .over_unix_socket = false}; }
const http::Peer unix_socket{.address = std::nullopt, .over_unix_socket = true};

TEST(TrustedProxies, AreNobodyUnlessNamed) {
  EXPECT_TRUE(TrustedProxies().nobody());
  EXPECT_TRUE(TrustedProxies::parse(" ")->nobody());
  EXPECT_FALSE(ours.nobody());
  EXPECT_TRUE(ours.trusts(at("10.1.1.1")));
  EXPECT_TRUE(ours.trusts(at("::ffff:10.1.1.1")));
  EXPECT_TRUE(ours.trusts(at("::1")));
  EXPECT_TRUE(ours.trusts(unix_socket));
  EXPECT_FALSE(ours.trusts(at("127.0.0.1")));
  EXPECT_FALSE(ours.trusts(http::Peer{})) << "unknown";
  EXPECT_FALSE(TrustedProxies::parse("0.0.0.0/0,::/0")->trusts(unix_socket));
  EXPECT_FALSE(TrustedProxies::parse("0.0.0.0/0,::/0")->trusts(http::Peer{}));
}

TEST(TrustedProxies, SayWhatIsWrong) {
  for (const std::string_view list :
       {"proxy.example", "10.0.0.0/8,,::1", "10.0.0.0/8;::1", "10.0.0.1/8", "unix:/a", ",", "*"}) {
    EXPECT_FALSE(TrustedProxies::parse(list)) << list;
  }
}

struct AddressRow {
  http::Peer peer;
  std::vector<http::Header> headers;
  std::string_view client;  // "": unknown
};

TEST(ClientAddress, IsTheRightMostThatIsNotOurs) {
  const std::string_view name = "X-Forwarded-For";
  for (const auto& row : std::vector<AddressRow>{
           {at("10.0.0.2"), {{name, "1.2.3.4, 203.0.113.9, 10.0.0.1"}}, "203.0.113.9"},
           {at("10.0.0.2"), {{"x-forwarded-FOR", "203.0.113.9"}}, "203.0.113.9"},
           {at("10.0.0.2"), {{name, "1.2.3.4"}, {name, "203.0.113.9"}}, "203.0.113.9"},
           {at("10.0.0.2"), {{name, "1.2.3.4"}, {"Other", "5.6.7.8"}, {name, "10.0.0.7 ,10.0.0.1"}}, "1.2.3.4"},
           {at("10.0.0.2"), {{name, "10.0.0.7,10.0.0.1"}}, "10.0.0.7"},
           {at("10.0.0.2"), {}, "10.0.0.2"},
           {at("10.0.0.2"), {{"Forwarded", "for=1.2.3.4"}}, "10.0.0.2"},
           {at("192.0.2.1"), {{name, "1.2.3.4"}}, "192.0.2.1"},
           {unix_socket, {{name, "1.2.3.4"}}, "1.2.3.4"},
           {unix_socket, {}, ""},
           {http::Peer{}, {{name, "1.2.3.4"}}, ""},
           {at("10.0.0.2"), {{name, "203.0.113.9:4711"}}, "203.0.113.9"},
           {at("10.0.0.2"), {{name, "[2001:db8::1]:4711"}}, "2001:db8::1"},
           {at("10.0.0.2"), {{name, "[2001:db8::1]"}}, "2001:db8::1"},
           {at("10.0.0.2"), {{name, "2001:db8::1"}}, "2001:db8::1"},
           {at("10.0.0.2"), {{name, "1.2.3.4, unknown"}}, ""},
           {at("10.0.0.2"), {{name, "1.2.3.4, unknown, 10.0.0.1"}}, ""},
           {at("10.0.0.2"), {{name, "1.2.3.4,"}}, ""},
           {at("10.0.0.2"), {{name, ""}}, ""},
           {at("10.0.0.2"), {{name, "[::1"}}, ""},
           {at("10.0.0.2"), {{name, "[::1]x"}}, ""},
       }) {
    http::Request request;
    request.headers = row.headers;
    const auto client = client_address(request, row.peer, ours, ClientAddress::x_forwarded_for);
    EXPECT_EQ(client ? client->to_string() : "", row.client) << (row.headers.empty() ? "" : row.headers.back().value);
    EXPECT_EQ(client_address(request, row.peer, ours, ClientAddress::peer), row.peer.address) << "by the peer alone";
  }
}

}  // namespace
}  // namespace latchkey::access
