#include "base/regular_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "base/testing/temporary_directory.hpp"

namespace latchkey {
namespace {

namespace fs = std::filesystem;

class RegularFileTest : public testing::Test {
 protected:
  RegularFileTest() {
    std::ofstream(folder_ / "plain") << "content";
    fs::create_symlink("plain", folder_ / "link");
    fs::create_symlink("fifo", folder_ / "link to fifo");
    ::mkfifo((folder_ / "fifo").c_str(), 0600);
    fs::create_directory(folder_ / "directory");
    make_socket();
  }

  void make_socket() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (folder_ / "socket").c_str(), sizeof address.sun_path - 1);
    const Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  /// The error's words, without the path; empty: it was opened.
  std::string why_not(const std::string& name, int flags, Links links) const {
    const fs::path path = name.starts_with('/') ? fs::path(name) : folder_ / name;
    const auto opened = open_regular(path, flags, links);
    if (opened) return "";
    EXPECT_NE(opened.error().detail.find(path.string()), std::string::npos);
    return opened.error().detail.substr(opened.error().detail.rfind(": ") + 2);
  }

  TemporaryDirectory directory_;
  const fs::path folder_ = directory_.path();
};

TEST_F(RegularFileTest, OpensRegularFilesAndSaysWhatElseThereIs) {
  struct Case {
    const char* name;
    Links links;
    const char* why;
  };
  for (const auto& [name, links, why] :
       {Case{"plain", Links::refuse, ""}, Case{"plain", Links::follow, ""}, Case{"link", Links::follow, ""},
        Case{"link", Links::refuse, "it is a symbolic link, not a regular file"},
        Case{"link to fifo", Links::follow, "it is a FIFO, not a regular file"},
        Case{"fifo", Links::refuse, "it is a FIFO, not a regular file"},
        Case{"fifo", Links::follow, "it is a FIFO, not a regular file"},
        Case{"socket", Links::refuse, "it is a socket, not a regular file"},
        Case{"directory", Links::refuse, "it is a directory, not a regular file"},
        Case{"/dev/zero", Links::refuse, "it is a device, not a regular file"},
        Case{"none", Links::refuse, "No such file or directory"}}) {
    for (const int flags : {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_APPEND}) {
      EXPECT_EQ(why_not(name, flags, links), why) << name << " " << flags;
    }
    const auto path = *name == '/' ? fs::path(name) : folder_ / name;
    EXPECT_EQ(check_regular(path, links).has_value(), *why == '\0' || name == std::string("none")) << name;
  }
}

TEST_F(RegularFileTest, MakesAFileForItsOwnerAlone) {
  ASSERT_EQ(why_not("new", O_WRONLY | O_CREAT, Links::refuse), "");
  EXPECT_EQ(fs::status(folder_ / "new").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(open_regular(folder_ / "new", O_WRONLY | O_CREAT | O_EXCL).error().code, ErrorCode::conflict);
  EXPECT_EQ(open_regular(folder_ / "none", O_RDONLY).error().code, ErrorCode::not_found);
  EXPECT_EQ(open_regular(folder_ / "none/new", O_WRONLY | O_CREAT).error().code, ErrorCode::unavailable);
  EXPECT_EQ(why_not("fifo", O_WRONLY | O_CREAT, Links::refuse), "it is a FIFO, not a regular file");
}

TEST_F(RegularFileTest, EmptiesOnlyWhatItOpens) {
  EXPECT_NE(why_not("link", O_WRONLY | O_CREAT | O_TRUNC, Links::refuse), "");
  EXPECT_EQ(*read_regular(folder_ / "plain", 7), "content");
  EXPECT_EQ(why_not("plain", O_WRONLY | O_TRUNC, Links::refuse), "");
  EXPECT_EQ(*read_regular(folder_ / "plain", 7), "");
}

TEST_F(RegularFileTest, ReadsNoMoreThanTheBound) {
  EXPECT_EQ(*read_regular(folder_ / "plain", 7), "content");
  EXPECT_EQ(read_regular(folder_ / "plain", 6).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace latchkey
