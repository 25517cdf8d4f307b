#include "http/unix_listener.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace latchkey::http {
namespace {

namespace fs = std::filesystem;

TEST(UnixAddress, IsAPathWithModeAndGroup) {
  const auto plain = UnixAddress::parse("unix:/run/a.sock");
  ASSERT_TRUE(plain);
  EXPECT_EQ(*plain, (UnixAddress{"/run/a.sock", 0600, ""}));
  EXPECT_EQ(*UnixAddress::parse("unix:/run/a.sock?mode=0660&group=www-data"),
            (UnixAddress{"/run/a.sock", 0660, "www-data"}));
  EXPECT_EQ(*UnixAddress::parse("unix:/run/a.sock?group=g&mode=666"), (UnixAddress{"/run/a.sock", 0666, "g"}));
  EXPECT_TRUE(UnixAddress::parse("unix:/" + std::string(106, 'a')));
}

TEST(UnixAddress, SaysWhatIsWrong) {
  for (const auto& [text, part] : std::vector<std::pair<std::string, std::string_view>>{
           {"", "is not unix:/path"},
           {"unix:", "absolute"},
           {"unix:run/a", "absolute"},
           {"unix:/run/", "names no file"},
           {"unix:/" + std::string(107, 'a'), "more than 107 bytes"},
           {"unix:/a?", "mode=0660 or group=NAME"},
           {"unix:/a?mode=0660&", "mode=0660 or group=NAME"},
           {"unix:/a?owner=x", "mode=0660 or group=NAME"},
           {"unix:/a?group=", "mode=0660 or group=NAME"},
           {"unix:/a?mode=", "octal"},
           {"unix:/a?mode=0680", "octal"},
           {"unix:/a?mode=1777", "octal"},
           {"unix:/a?mode=rw", "octal"},
           {"unix:/a?mode=0600&mode=0666", "\"mode\" twice"},
           {"unix:/a?group=a&mode=0600&group=b", "\"group\" twice"}}) {
    const auto address = UnixAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_NE(address.error().detail.find(part), std::string::npos) << address.error().detail;
  }
}

class UnixListenerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/latchkey-unix-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    address_.path = (folder_ / "a.sock").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  bool connects() const {
    const Socket client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.path.data(), address_.path.size());
    return ::connect(client.descriptor(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  std::string refusal() const {
    const auto listener = UnixListener::open(address_);
    return listener ? "none" : listener.error().detail;
  }
  /// As a process leaves it that was killed.
  void leave_stale() const {
    const Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address_.path.data(), address_.path.size());
    ASSERT_EQ(::bind(socket.descriptor(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    ASSERT_EQ(::listen(socket.descriptor(), 1), 0);
  }

  fs::path folder_;
  UnixAddress address_;
};

TEST_F(UnixListenerTest, HasTheModeThatWasAskedForWhateverTheUmask) {
  for (const mode_t umask : {0077U, 0000U}) {
    const mode_t before = ::umask(umask);
    for (const mode_t mode : {0600U, 0660U, 0666U, 0000U}) {
      address_.mode = mode;
      const auto listener = UnixListener::open(address_);
      ASSERT_TRUE(listener);
      struct stat status {};
      ASSERT_EQ(::stat(address_.path.c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 0777U, mode);
    }
    ::umask(before);
  }
}

TEST_F(UnixListenerTest, TakesTheFileWithIt) {
  {
    const auto listener = UnixListener::open(address_);
    ASSERT_TRUE(listener);
    EXPECT_TRUE(connects());
  }
  EXPECT_FALSE(fs::exists(address_.path));
}

TEST_F(UnixListenerTest, ReplacesWhatAKilledProcessLeft) {
  leave_stale();
  EXPECT_FALSE(connects());
  EXPECT_EQ(refusal(), "none");
}

TEST_F(UnixListenerTest, LeavesAnothersListenerAlone) {
  const auto first = UnixListener::open(address_);
  ASSERT_TRUE(first);
  EXPECT_EQ(refusal(), "cannot listen at " + address_.path + ": another process does");
  EXPECT_TRUE(connects());
}

TEST_F(UnixListenerTest, LeavesAloneWhatIsNoSocket) {
  std::ofstream(address_.path) << "x";
  EXPECT_NE(refusal().find("no socket"), std::string::npos);
  EXPECT_EQ(fs::file_size(address_.path), 1U);
  fs::remove(address_.path);
  fs::create_symlink("/etc/passwd", address_.path);
  EXPECT_NE(refusal().find("no socket"), std::string::npos);
}

TEST_F(UnixListenerTest, LeavesAnotherUsersStaleFileAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  leave_stale();
  ASSERT_EQ(::chown(address_.path.c_str(), 12345, 12345), 0);
  EXPECT_NE(refusal().find("another user (uid 12345)"), std::string::npos);
  EXPECT_TRUE(fs::exists(address_.path));
}

TEST_F(UnixListenerTest, GoesWithoutTheFileThatAnotherPutThere) {
  auto first = UnixListener::open(address_);
  ASSERT_TRUE(first);
  fs::remove(address_.path);
  const auto second = UnixListener::open(address_);
  ASSERT_TRUE(second);
  first->file.remove();
  EXPECT_TRUE(connects()) << "the second's file is not the first's to remove";
}

TEST_F(UnixListenerTest, SaysWhatIsMissing) {
  address_.group = "no-such-group-here";
  EXPECT_NE(refusal().find("is no group of this machine"), std::string::npos);
  EXPECT_FALSE(fs::exists(address_.path));
  address_.group.clear();
  address_.path = (folder_ / "missing" / "a.sock").string();
  EXPECT_NE(refusal().find("No such file or directory"), std::string::npos);
}

}  // namespace
}  // namespace latchkey::http
