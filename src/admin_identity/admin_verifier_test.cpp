#include "admin_identity/admin_verifier.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/testing/temporary_directory.hpp"

namespace latchkey::admin_identity {
namespace {

TEST(AdminKeys, ASecretIsNoPem) {
  const TemporaryDirectory folder;
  config::Settings settings;
  const std::string long_enough(32, 's');
  settings.admin_secret_file = folder.file("secret", long_enough + "\n");
  EXPECT_TRUE(check_admin_keys(settings));
  for (const auto& text :
       {"-----BEGIN PUBLIC KEY-----\n" + long_enough, "\n -----BEGIN PUBLIC KEY-----\n" + long_enough,
        "-----BEGIN CERTIFICATE-----\n" + long_enough}) {
    settings.admin_secret_file = folder.file("pem", text);
    const auto checked = check_admin_keys(settings);
    ASSERT_FALSE(checked) << text;
    EXPECT_EQ(checked.error().code, ErrorCode::invalid);
    EXPECT_NE(checked.error().detail.find("PEM"), std::string::npos);
  }
}

TEST(AdminKeys, FilesThatCannotBeReadAreNamed) {
  const TemporaryDirectory folder;
  const auto missing = (folder.path() / "none").string();
  for (const auto member : {&config::Settings::admin_keys, &config::Settings::admin_secret_file}) {
    for (const auto& file : {missing, folder.path().string()}) {
      config::Settings settings;
      settings.*member = file;
      const auto checked = check_admin_keys(settings);
      ASSERT_FALSE(checked);
      EXPECT_NE(checked.error().detail.find(file), std::string::npos) << checked.error().detail;
    }
  }
}

TEST(AdminKeys, SettingsThatDoNotAgreeAreRefused) {
  const TemporaryDirectory folder;
  config::Settings settings;
  settings.admin_secret_file = folder.file("secret", std::string(32, 's'));
  settings.admin_role_claim = "realm_access.roles";
  EXPECT_NE(check_admin_keys(settings).error().detail.find("admin_roles"), std::string::npos);
  settings.admin_roles = "net-admins=admin";
  EXPECT_TRUE(check_admin_keys(settings));
  settings.admin_keys = settings.admin_secret_file;
  EXPECT_NE(check_admin_keys(settings).error().detail.find("exclude each other"), std::string::npos);
}

TEST(AdminKeys, TheConsoleSignsInAtAnIssuerOnly) {
  config::Settings settings;
  settings.admin_oidc_client_id = "console";
  EXPECT_NE(check_admin_keys(settings).error().detail.find("needs admin_oidc_issuer"), std::string::npos);
  settings.admin_oidc_issuer = "https://login.example/realms/a";
  settings.admin_audience = "latchkey";
  EXPECT_TRUE(check_admin_keys(settings));
  settings.admin_oidc_issuer = "https://login.example;script-src/realms/a";
  EXPECT_FALSE(check_admin_keys(settings));
}

TEST(AdminKeys, RolesAreReadStrictly) {
  const auto read = jwt::parse_role_map("net-admins=admin, CN=x=viewer");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at("net-admins"), jwt::AdminRole::admin);
  EXPECT_EQ(read->at("CN=x"), jwt::AdminRole::viewer);
  for (const char* text : {"", "a", "a=", "=admin", "a=Admin", "a=admin,", "a=admin,a=viewer"}) {
    EXPECT_FALSE(jwt::parse_role_map(text)) << text;
  }
}

// The file of a provider that rotates: a change is seen by itself and on SIGHUP, damage changes nothing.
class AdminsTest : public testing::Test {
 protected:
  static std::string jwks_of(const jwt::Ed25519PrivateKey& key) {
    const std::vector<SigningKey> keys = {{jwt::thumbprint(key.public_key()), key.public_key(), {}, {}, {}}};
    return jwt::to_jwks(keys);
  }
  static bool believes(const Admins& admins, const jwt::Ed25519PrivateKey& key) {
    const UnixMillis now{1'767'225'600'000};
    const auto token = jwt::mint_admin_token({"ops", jwt::AdminRole::admin, "", "", now, std::chrono::hours(1)}, key);
    return admins.verifier().verify(token.reveal(), now).has_value();
  }
  static bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 3000 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return holds();
  }

  TemporaryDirectory folder;
  jwt::Ed25519PrivateKey old_key = jwt::Ed25519PrivateKey::generate(), new_key = jwt::Ed25519PrivateKey::generate();
  config::Settings settings;
  Result<data_dir::DataDir> data = data_dir::DataDir::open_or_create(folder.path() / "data");
};

TEST_F(AdminsTest, AChangedFileIsReadAgainAndABrokenOneIsNot) {
  settings.admin_keys = folder.file("jwks", jwks_of(old_key));
  const auto admins = Admins::open(settings, *data, std::chrono::milliseconds(5));
  ASSERT_TRUE(admins);
  EXPECT_TRUE(believes(**admins, old_key) && !believes(**admins, new_key));
  folder.file("jwks", "{");
  (*admins)->read_again();
  EXPECT_TRUE(believes(**admins, old_key));
  folder.file("jwks", jwks_of(new_key));
  EXPECT_TRUE(eventually([&] { return believes(**admins, new_key); }));
  EXPECT_FALSE(believes(**admins, old_key));
  std::filesystem::remove(settings.admin_keys);
  (*admins)->read_again();
  EXPECT_TRUE(believes(**admins, new_key));
}

TEST_F(AdminsTest, SighupReadsAtOnce) {
  settings.admin_keys = folder.file("jwks", jwks_of(old_key));
  const auto admins = Admins::open(settings, *data, std::chrono::hours(1));
  ASSERT_TRUE(admins);
  folder.file("jwks", jwks_of(new_key));
  (*admins)->read_again();
  EXPECT_TRUE(believes(**admins, new_key) && !believes(**admins, old_key));
}

}  // namespace
}  // namespace latchkey::admin_identity
