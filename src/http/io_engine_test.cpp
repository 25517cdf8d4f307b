#include "http/io_engine.hpp"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <thread>

#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

// http_test is run once with LATCHKEY_IO=epoll and once with io_uring (CMakeLists.txt), which is not everywhere.
class AskedEngine final : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* const io = std::getenv("LATCHKEY_IO");
    if (io == nullptr || io != std::string_view("io_uring")) return;
    if (const auto chosen = choose_engine(IoEngine::io_uring); !chosen) GTEST_SKIP() << chosen.error().detail;
  }
};
[[maybe_unused]] const auto* const asked_engine = ::testing::AddGlobalTestEnvironment(new AskedEngine);

// As the default profile of containers does. Of the calling thread only.
bool forbid_io_uring() {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(IoEngine, WhereIoUringIsForbiddenEpollServes) {
  std::thread([] {
    if (!forbid_io_uring()) GTEST_SKIP() << "no seccomp here";
    const auto chosen = choose_engine(IoEngine::automatic);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->engine, IoEngine::epoll);
    EXPECT_EQ(chosen->why_not_io_uring, "io_uring_setup: Operation not permitted");
    const auto named = choose_engine(IoEngine::io_uring);
    ASSERT_FALSE(named);
    EXPECT_EQ(named.error().code, ErrorCode::unavailable);
    ServerConfig config;
    config.listen = "127.0.0.1:0";
    config.io = IoEngine::io_uring;
    Router router;
    const auto started = Server(config, router).start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().detail, "io_uring does not work here: io_uring_setup: Operation not permitted");
  }).join();
}

TEST(IoEngine, IsTheOneThatWasAskedFor) {
  ServerConfig config;
  config.io = IoEngine::epoll;
  Router router;
  EXPECT_EQ(Server(config, router).io().engine, IoEngine::epoll);
  EXPECT_EQ(Server(config, router).io().why_not_io_uring, "");
  if (!choose_engine(IoEngine::io_uring)) return;
  config.io = IoEngine::automatic;
  EXPECT_EQ(Server(config, router).io().engine, IoEngine::io_uring);
}

}  // namespace
}  // namespace latchkey::http
