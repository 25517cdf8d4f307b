#include "config/settings.hpp"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.hpp"

namespace latchkey::config {
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
  const TemporaryDirectory folder;
  EXPECT_EQ(fault_of_file(folder.file("good.toml", "threads = 3\n")), "");
  const auto missing = (folder.path() / "none.toml").string();
  const std::string cannot = "configuration file: cannot open ";
  EXPECT_EQ(fault_of_file(missing), cannot + missing + ": No such file or directory");
  EXPECT_EQ(fault_of_file(folder.path().string()),
            cannot + folder.path().string() + ": it is a directory, not a regular file");
  EXPECT_EQ(fault_of_file("/dev/null"), cannot + "/dev/null: it is a device, not a regular file");
  EXPECT_EQ(fault_of({{}, {{"LATCHKEY_CONFIG", "/dev/null"}}, {}}),
            cannot + "/dev/null: it is a device, not a regular file");
  const auto broken = folder.file("broken.toml", "threads = 3\nthreads\n");
  EXPECT_TRUE(fault_of_file(broken).starts_with(broken + ":2: ")) << fault_of_file(broken);
}

TEST(Settings, AReplicaIsCalledByTextThatCanBeShown) {
  EXPECT_EQ(fault_of({{{"replica_name",
                        "\xc3\x9c"
                        "bersee \"1\""}},
                      {},
                      {}}),
            "");
  for (const std::string& name : {std::string("\xff"), std::string("\x1b[2J"), std::string(101, 'n')}) {
    EXPECT_EQ(fault_of({{}, {{"LATCHKEY_REPLICA_NAME", name}}, {}}),
              "LATCHKEY_REPLICA_NAME: must be UTF-8 text of at most 100 bytes");
  }
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
           Case{"postgresql://a:1,b,[::1]:2/db", "postgresql://a:1,b,[::1]:2/db"},
           Case{"postgresql:///db?host=/run", "postgresql:///db?***"},
           Case{"postgresql://u:pw@/db", "postgresql://u:***@/db"},
           Case{"postgresql://u:pw/db", "postgresql://***"},  // where it ought to be after an '@'
           Case{"postgresql://:5432/db", "postgresql://***"},
       }) {
    const auto resolved = load_settings({{{"store", std::string(store)}}, {{"LATCHKEY_CONFIG", ""}}, {}});
    ASSERT_TRUE(resolved) << store;
    const auto line = "store = \"" + std::string(shown) + "\"  # flag --store\n";
    EXPECT_NE(print_settings(*resolved).find(line), std::string::npos) << store << '\n' << print_settings(*resolved);
  }
  for (const auto& [stream, shown] : {
           Case{"redis://host", "redis://host"},
           Case{"redis://host:6379/1", "redis://host:6379/1"},
           Case{"redis://[::1]:6379", "redis://[::1]:6379"},
           Case{"redis://u:pw@host", "redis://u:***@host"},
           Case{"redis://pw@host", "redis://***@host"},
           Case{"redis://:pw", "redis://***"},  // no host
           Case{"redis://:pw@", "redis://***"},
           Case{"redis://pw@", "redis://***"},
           Case{"redis:///pw", "redis://***"},
           Case{"redis://u:pw", "redis://***"},
           Case{"redis://u:1/pw", "redis://***"},
           Case{"redis://[pw", "redis://***"},
           Case{"redis://p?w@host", "redis://***"},
           Case{"rediss://u:pw@host:1/2?ca=x", "rediss://u:***@host:1/2?***"},
           Case{"redis-sentinel://u:pw@a:1,b,[::1]:2/main/3?sentinel-password=pw",
                "redis-sentinel://u:***@a:1,b,[::1]:2/main/3?***"},
           Case{"rediss-sentinel://a/main", "rediss-sentinel://a/main"},
           Case{"redis-sentinel://u:pw/main", "redis-sentinel://***"},
           Case{"redis-sentinel://a/pw/w", "redis-sentinel://***"},
           Case{"redis-sentinel://a/main?sentinel-password=p@w", "redis-sentinel://***"},
       }) {
    const auto resolved = load_settings({{{"stream", std::string(stream)}}, {{"LATCHKEY_CONFIG", ""}}, {}});
    ASSERT_TRUE(resolved) << stream;
    const auto line = "stream = \"" + std::string(shown) + "\"  # flag --stream\n";
    EXPECT_NE(print_settings(*resolved).find(line), std::string::npos) << stream << '\n' << print_settings(*resolved);
  }
}

TEST(Settings, APlaceNamesTheSettingAndItsOrigin) {
  const auto resolved = load_settings({{{"stream", "none"}}, {{"LATCHKEY_LIMITER", "local"}}, {}});
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->place_of("stream"), "stream (flag --stream)");
  EXPECT_EQ(resolved->place_of("limiter"), "limiter (LATCHKEY_LIMITER)");
  EXPECT_EQ(resolved->place_of("tls"), "tls");
}

TEST(Settings, RedisThatIsNotSupportedIsSaidPlainly) {
  for (const auto& spec : setting_specs()) {
    if (spec.name != "stream" && spec.name != "limiter") continue;
    Settings settings;
    for (const char* good : {"rediss://:pw@host", "redis-sentinel://a,b/n", "rediss-sentinel://a,b/n"}) {
      EXPECT_TRUE(spec.set(settings, good)) << good;
    }
    EXPECT_NE(spec.set(settings, "redis-cluster://a,b").error().detail.find("Cluster"), std::string::npos);
    EXPECT_NE(spec.set(settings, "http://x").error().detail.find("rediss:// (TLS)"), std::string::npos);
  }
}

}  // namespace
}  // namespace latchkey::config
