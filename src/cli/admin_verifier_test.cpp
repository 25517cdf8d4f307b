#include "cli/admin_verifier.hpp"

#include <gtest/gtest.h>

#include "cli/temporary_folder.hpp"

namespace latchkey::cli {
namespace {

TEST(AdminKeys, ASecretIsNoPem) {
  const TemporaryFolder folder;
  Settings settings;
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
  const TemporaryFolder folder;
  const auto missing = (folder.path() / "none").string();
  for (const auto member : {&Settings::admin_keys, &Settings::admin_secret_file}) {
    for (const auto& file : {missing, folder.path().string()}) {
      Settings settings;
      settings.*member = file;
      const auto checked = check_admin_keys(settings);
      ASSERT_FALSE(checked);
      EXPECT_NE(checked.error().detail.find(file), std::string::npos) << checked.error().detail;
    }
  }
}

}  // namespace
}  // namespace latchkey::cli
