#include "http/listen.hpp"

#include <gtest/gtest.h>

namespace latchkey::http {
namespace {

std::string urls(std::string_view list) {
  const auto addresses = parse_listen(list);
  if (!addresses) return addresses.error().detail;
  std::string text;
  for (const auto& address : *addresses) text += reachable_url("http", address) + " ";
  return text;
}

TEST(Listen, IsOneAddressOrSeveral) {
  EXPECT_EQ(urls("127.0.0.1:7070"), "http://127.0.0.1:7070 ");
  EXPECT_EQ(urls("localhost:1"), "http://127.0.0.1:1 ");
  EXPECT_EQ(urls("127.0.0.1:7070, [::1]:7070 ,unix:/run/a.sock?mode=0660"),
            "http://127.0.0.1:7070 http://[::1]:7070 unix:/run/a.sock ");
  EXPECT_EQ(urls("0.0.0.0:7070,[::]:7071"), "http://127.0.0.1:7070 http://[::1]:7071 ")
      << "as this machine reaches them";
  EXPECT_EQ(urls("127.0.0.1:0,127.0.0.1:0"), "http://127.0.0.1:0 http://127.0.0.1:0 ") << "two free ports";
}

TEST(Listen, SaysWhatIsWrong) {
  for (const auto& [list, part] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"", "neither"},
           {",", "neither"},
           {"127.0.0.1:1,", "neither"},
           {"127.0.0.1", "neither"},
           {"example.org:80", "numeric host"},
           {"127.0.0.1:65536", "neither"},
           {"unix:a", "absolute path"},
           {"unix:/a?mode=9", "octal"},
           {"unix:/a?group=no-such-group-here", "no group of this machine"},
           {"127.0.0.1:1,127.0.0.1:1", "twice"},
           {"[::1]:1,[0::1]:1", "twice"},
           {"unix:/a,unix:/a?mode=0666", "twice"}}) {
    EXPECT_NE(urls(list).find(part), std::string::npos) << list << ": " << urls(list);
  }
}

}  // namespace
}  // namespace latchkey::http
