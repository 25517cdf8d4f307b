#include "cli/settings.hpp"

#include <gtest/gtest.h>

#include "cli/temporary_folder.hpp"

namespace latchkey::cli {
namespace {

/// Where and what is wrong with the only fault of these settings; empty: nothing.
std::string fault_of(const SettingSources& sources) {
  const auto resolved = load_settings(sources);
  if (resolved) return {};
  EXPECT_EQ(resolved.error().fields.size(), 1U);
  return resolved.error().fields.at(0).pointer + ": " + resolved.error().fields.at(0).detail;
}

std::string fault_of_file(const std::string& file) { return fault_of({{}, {}, file}); }

TEST(Settings, TheFileIsARegularFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(fault_of_file(folder.file("good.toml", "threads = 3\n")), "");
  const auto missing = (folder.path() / "none.toml").string();
  EXPECT_EQ(fault_of_file(missing), missing + ": No such file or directory");
  EXPECT_EQ(fault_of_file(folder.path().string()), folder.path().string() + ": is not a regular file");
  EXPECT_EQ(fault_of_file("/dev/null"), "/dev/null: is not a regular file");
  EXPECT_EQ(fault_of({{}, {{"LATCHKEY_CONFIG", "/dev/null"}}, {}}), "/dev/null: is not a regular file");
  const auto broken = folder.file("broken.toml", "threads = 3\nthreads\n");
  EXPECT_TRUE(fault_of_file(broken).starts_with(broken + ":2: ")) << fault_of_file(broken);
}

TEST(Settings, PrintingHidesPasswords) {
  struct Case {
    std::string_view store, shown;
  };
  for (const auto& [store, shown] : {
           Case{"postgresql://host/db", "postgresql://host/db"},
           Case{"postgresql://host:5432/db", "postgresql://host:5432/db"},
           Case{"postgresql://u@host:5432/db", "postgresql://u@host:5432/db"},
           Case{"postgresql://u:pw@host/db", "postgresql://u:***@host/db"},
           Case{"postgresql://u:pw@[::1]:5432/db", "postgresql://u:***@[::1]:5432/db"},
           Case{"postgresql://u:pw/w@host/db", "postgresql://u:***@host/db"},
           Case{"postgresql://u:pw@w@host/db", "postgresql://u:***@host/db"},
           Case{"postgresql://u:pw:w@host/db", "postgresql://u:***@host/db"},
           Case{"postgresql://u:pw@host/db?password=pw", "postgresql://u:***@host/db?***"},
           Case{"postgresql://host:1/db?password=pw", "postgresql://host:1/db?***"},
           Case{"postgresql://host:1/db?password=p@w", "postgresql://host:***"},  // '@': of the query or before it
           Case{"postgresql://host/db?password=p@w", "postgresql://host/db?***"},
           Case{"postgresql://u:p?w@host/db", "postgresql://u:***"},
           Case{"postgresql://u:p#w@host/db", "postgresql://u:***"},
       }) {
    const auto resolved = load_settings({{{"store", std::string(store)}}, {{"LATCHKEY_CONFIG", ""}}, {}});
    ASSERT_TRUE(resolved) << store;
    const auto line = "store = \"" + std::string(shown) + "\"  # flag --store\n";
    EXPECT_NE(print_settings(*resolved).find(line), std::string::npos) << store << '\n' << print_settings(*resolved);
  }
  const auto redis = load_settings({{{"stream", "redis://pw@host"}}, {{"LATCHKEY_CONFIG", ""}}, {}});
  ASSERT_TRUE(redis);
  EXPECT_NE(print_settings(*redis).find("\"redis://***@host\""), std::string::npos) << print_settings(*redis);
}

}  // namespace
}  // namespace latchkey::cli
