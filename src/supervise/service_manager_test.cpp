#include "supervise/service_manager.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <map>

#include "base/descriptor.hpp"
#include "base/testing/temporary_directory.hpp"

namespace latchkey::supervise {
namespace {

using Variables = std::map<std::string, std::string>;

ServiceManager::Environment reader(const Variables& variables) {
  return [&variables](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

/// The manager's end: a datagram socket at a path, or at an abstract name that begins with '@'.
class Manager {
 public:
  explicit Manager(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name.front() == '@') address.sun_path[0] = '\0';
    const void* at = &address;
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_.get(), static_cast<const sockaddr*>(at), length), 0);
  }
  /// The next datagram; empty: none has come.
  std::string heard() {
    std::string text(200, '\0');
    const auto length = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return text;
  }

 private:
  Descriptor socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST(ServiceManager, IsToldInItsWords) {
  const TemporaryDirectory directory;
  for (const std::string& name :
       {(directory.path() / "notify").string(), "@latchkey-notify-" + std::to_string(::getpid())}) {
    Manager manager(name);
    const Variables variables{{"NOTIFY_SOCKET", name}};
    const ServiceManager told(reader(variables));
    told.ready("listens at http://127.0.0.1:7070");
    EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=listens at http://127.0.0.1:7070") << name;
    told.alive();
    EXPECT_EQ(manager.heard(), "WATCHDOG=1");
    told.stopping();
    EXPECT_EQ(manager.heard(), "STOPPING=1");
    EXPECT_FALSE(told.watchdog_interval());
  }
}

TEST(ServiceManager, ThatIsNotThereOrHasGoneIsNoFault) {
  const TemporaryDirectory directory;
  for (const std::string& name :
       {std::string(), std::string("relative"), (directory.path() / "gone").string(), "/" + std::string(200, 'x')}) {
    const Variables variables{{"NOTIFY_SOCKET", name}, {"WATCHDOG_USEC", "1000000"}};
    const ServiceManager told(reader(variables));
    told.ready("");
    told.alive();
  }
  const Variables nothing;
  EXPECT_FALSE(ServiceManager(reader(nothing)).watchdog_interval());
}

TEST(ServiceManager, SaysHowOftenItWantsToHear) {
  using std::chrono::milliseconds;
  const std::string own = std::to_string(::getpid());
  struct Row {
    const char *microseconds, *watched;
    std::optional<milliseconds> interval;
  };
  for (const Row& row :
       {Row{"30000000", nullptr, milliseconds(15'000)}, Row{"30000000", own.c_str(), milliseconds(15'000)},
        Row{"30000000", "1", std::nullopt}, Row{"1", nullptr, milliseconds(1)}, Row{"0", nullptr, std::nullopt},
        Row{"", nullptr, std::nullopt}, Row{"30s", nullptr, std::nullopt}, Row{"-1", nullptr, std::nullopt},
        Row{"99999999999999999999", nullptr, std::nullopt}}) {
    Variables variables{{"NOTIFY_SOCKET", "/nowhere"}, {"WATCHDOG_USEC", row.microseconds}};
    if (row.watched != nullptr) variables["WATCHDOG_PID"] = row.watched;
    EXPECT_EQ(ServiceManager(reader(variables)).watchdog_interval(), row.interval) << row.microseconds;
  }
}

}  // namespace
}  // namespace latchkey::supervise
