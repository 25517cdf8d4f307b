#include "base/ip_address.hpp"

#include <gtest/gtest.h>

namespace latchkey {
namespace {

TEST(IpAddress, KnowsBothSpellingsOfAnIpv4Address) {
  EXPECT_EQ(IpAddress::parse("10.1.2.3"), IpAddress::parse("::ffff:10.1.2.3"));
  EXPECT_EQ(IpAddress::parse("::ffff:0a01:0203"), IpAddress::parse("10.1.2.3"));
  EXPECT_NE(IpAddress::parse("::10.1.2.3"), IpAddress::parse("10.1.2.3")) << "that is another address";
  EXPECT_EQ(IpAddress::parse("::ffff:10.1.2.3")->to_string(), "10.1.2.3");
  EXPECT_EQ(IpAddress::parse("2001:DB8:0::1")->to_string(), "2001:db8::1");
}

TEST(IpAddress, TakesNumbersOnly) {
  for (const std::string_view text :
       {"", " ", "localhost", "10.1.2", "10.1.2.3.4", "10.1.2.256", "010.1.2.3", "0x0a.1.2.3", "10.1.2.3 ", " 10.1.2.3",
        "[::1]", "::1%lo", "1.2.3.4:80", "::g", ":::", "10.1.2.3/8"}) {
    EXPECT_EQ(IpAddress::parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(IpAddress::parse(std::string_view("10.1.2.3\0", 9)), std::nullopt);
  EXPECT_EQ(IpAddress::parse(std::string(200, '1')), std::nullopt);
}

struct Row {
  std::string_view network, address;
  bool inside;
};

TEST(IpNetwork, HoldsWhatBeginsAlike) {
  for (const auto& row : std::vector<Row>{
           {"10.0.0.0/8", "10.255.0.1", true},
           {"10.0.0.0/8", "11.0.0.0", false},
           {"10.0.0.0/8", "::ffff:10.0.0.1", true},
           {"::ffff:10.0.0.0/104", "10.9.9.9", true},
           {"192.0.2.128/25", "192.0.2.127", false},
           {"192.0.2.128/25", "192.0.2.128", true},
           {"192.0.2.1", "192.0.2.1", true},
           {"192.0.2.1", "192.0.2.2", false},
           {"192.0.2.1/32", "192.0.2.1", true},
           {"0.0.0.0/0", "255.255.255.255", true},
           {"0.0.0.0/0", "2001:db8::1", false},
           {"::/0", "2001:db8::1", true},
           {"::/0", "10.0.0.1", false},
           {"::/64", "10.0.0.1", false},
           {"2001:db8::/33", "2001:db8:7fff::1", true},
           {"2001:db8::/33", "2001:db8:8000::1", false},
           {"::1", "::1", true},
           {"fe80::/10", "febf::1", true},
           {"fe80::/10", "fec0::1", false},
       }) {
    const auto network = IpNetwork::parse(row.network);
    ASSERT_TRUE(network) << row.network;
    EXPECT_EQ(network->contains(*IpAddress::parse(row.address)), row.inside) << row.network << " " << row.address;
  }
}

TEST(IpNetwork, SaysWhatIsWrong) {
  const auto why = [](std::string_view text) {
    const auto network = IpNetwork::parse(text);
    return network ? network->to_string() : network.error().detail;
  };
  EXPECT_EQ(why("10.1.0.0/8"), "\"10.1.0.0/8\" has bits beyond its prefix: 10.0.0.0/8 is that network");
  EXPECT_EQ(why("2001:db8::1/32"), "\"2001:db8::1/32\" has bits beyond its prefix: 2001:db8::/32 is that network");
  EXPECT_EQ(why("10.0.0.0/33"), "\"10.0.0.0/33\" needs a prefix length from 0 to 32 behind the /");
  for (const std::string_view text :
       {"10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8", "::/129"}) {
    EXPECT_NE(why(text).find("needs a prefix length"), std::string::npos) << why(text);
  }
  for (const std::string_view text : {"", "/8", "proxy", "10.0.0/8", "[::1]/128"}) {
    EXPECT_NE(why(text).find("is not an address or network"), std::string::npos) << why(text);
  }
}

TEST(IpNetwork, IsPrintedAsItIsWritten) {
  for (const std::string_view text : {"10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::/0", "::1/128"}) {
    EXPECT_EQ(IpNetwork::parse(text)->to_string(), text);
  }
  EXPECT_EQ(IpNetwork::parse("127.0.0.1")->to_string(), "127.0.0.1/32");
}

}  // namespace
}  // namespace latchkey
