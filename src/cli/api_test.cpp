#include "cli/api.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_directory.hpp"
#include "data_dir/data_dir.hpp"

namespace latchkey::cli {
namespace {

class ManagementAddress : public testing::Test {
 protected:
  void SetUp() override { ::unsetenv("LATCHKEY_URL"); }
  void TearDown() override { ::unsetenv("LATCHKEY_URL"); }

  config::ResolvedSettings settings(std::map<std::string, std::string> flags = {}) const {
    flags["data_dir"] = data_.path().string();
    return config::load_settings({flags, {{"LATCHKEY_CONFIG", ""}}, {}}).value();
  }

  TemporaryDirectory folder_;
  const std::vector<std::string> urls_{"http://127.0.0.1:9"};
  data_dir::DataDir data_ = data_dir::DataDir::open_or_create(folder_.path() / "data").value();
};

TEST_F(ManagementAddress, AMintedTokenGoesToNoDefaultAddress) {
  const auto url = management_address(settings(), BearerSource::minted);
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().code, ErrorCode::unavailable);
  for (const auto& part : {std::string("no service runs"), data_.path().string(), std::string("LATCHKEY_URL=")}) {
    EXPECT_NE(url.error().detail.find(part), std::string::npos) << url.error().detail;
  }
}

TEST_F(ManagementAddress, NorToWhatAKilledServiceLeft) {
  ASSERT_TRUE(data_.publish_urls(data_dir::Service::keys, urls_));
  EXPECT_FALSE(management_address(settings(), BearerSource::minted));
}

TEST_F(ManagementAddress, AGivenTokenMayGoToTheDefaultAddress) {
  EXPECT_EQ(management_address(settings(), BearerSource::given).value().url, "http://127.0.0.1:7070");
}

TEST_F(ManagementAddress, AMintedTokenGoesWhereSomebodySaid) {
  EXPECT_EQ(management_address(settings({{"keys_listen", "127.0.0.1:7070"}}), BearerSource::minted).value().url,
            "http://127.0.0.1:7070");
  const auto claim = data_.claim(data_dir::Service::keys);
  ASSERT_TRUE(claim && data_.publish_urls(data_dir::Service::keys, urls_));
  EXPECT_EQ(management_address(settings(), BearerSource::minted).value().url, "http://127.0.0.1:9");
  ::setenv("LATCHKEY_URL", "http://elsewhere/", 1);
  EXPECT_EQ(management_address(settings(), BearerSource::minted).value().url, "http://elsewhere");
}

TEST_F(ManagementAddress, IsAnHttpUrlOrAUnixSocket) {
  for (const auto* text :
       {"http://a", "https://a:1/b", "http://[::1]:7070", "unix:/run/a", "unix:///run/a", "http://a/@b"}) {
    ::setenv("LATCHKEY_URL", text, 1);
    EXPECT_TRUE(management_address(settings(), BearerSource::given)) << text;
  }
  for (const auto* text : {"ftp://a", "file:///etc/hostname", "http+unix://a", "a:7070", "http://", "https:///a",
                           "unix:", "unix:a", "HTTP", "http://ops:secret@a", "https://secret@a/b"}) {
    ::setenv("LATCHKEY_URL", text, 1);
    const auto url = management_address(settings(), BearerSource::given);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::invalid) << text;
    EXPECT_EQ(url.error().detail.find("secret"), std::string::npos) << "a password is not shown";
  }
}

TEST_F(ManagementAddress, OurOwnCertificateVouchesForOurOwnServiceOnly) {
  const auto own = settings({{"keys_listen", "127.0.0.1:7070"}, {"tls_cert", "own.pem"}, {"tls_key", "own.key"}});
  const auto default_address = management_address(own, BearerSource::given).value();
  EXPECT_EQ(default_address.url, "https://127.0.0.1:7070");
  EXPECT_EQ(default_address.certificate, "own.pem");
  ::setenv("LATCHKEY_URL", "https://elsewhere", 1);
  EXPECT_EQ(management_address(own, BearerSource::given).value().certificate, "");
}

TEST(SentenceOfProblem, WhatIsWrongWithTheWholeBodyHasNoPointer) {
  const auto sentence = [](std::string_view pointer) {
    return sentence_of_problem(400, fmt::format(R"({{"errors":[{{"pointer":"{}","detail":"is odd"}}]}})", pointer));
  };
  EXPECT_EQ(sentence("/name"), "/name: is odd (400)");
  EXPECT_EQ(sentence(""), "is odd (400)");
}

}  // namespace
}  // namespace latchkey::cli
