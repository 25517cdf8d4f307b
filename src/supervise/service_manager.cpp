#include "supervise/service_manager.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/descriptor.hpp"

namespace latchkey::supervise {
namespace {

std::optional<std::uint64_t> number(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string_view digits(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> interval_of(const ServiceManager::Environment& environment) {
  const auto microseconds = number(environment("WATCHDOG_USEC"));
  const auto watched = number(environment("WATCHDOG_PID"));  // a child inherits what was meant for its parent
  if (!microseconds || *microseconds == 0 || *microseconds > std::uint64_t{86'400'000'000}) return std::nullopt;
  if (watched && *watched != static_cast<std::uint64_t>(::getpid())) return std::nullopt;
  return std::chrono::milliseconds(std::max<std::uint64_t>(*microseconds / 2000, 1));
}

}  // namespace

ServiceManager::ServiceManager(const Environment& environment) {
  const char* name = environment("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (name == nullptr || (*name != '/' && *name != '@') || std::string_view(name).size() >= sizeof address.sun_path)
    return;
  socket_ = name;
  interval_ = interval_of(environment);
}

void ServiceManager::ready(std::string_view status) const { tell(fmt::format("READY=1\nSTATUS={}", status)); }
void ServiceManager::stopping() const { tell("STOPPING=1"); }
void ServiceManager::alive() const { tell("WATCHDOG=1"); }

void ServiceManager::tell(std::string_view lines) const {
  if (socket_.empty()) return;
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(socket_, address.sun_path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const void* at = &address;
  ::sendto(socket.get(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT, static_cast<const sockaddr*>(at),
           length);
}

}  // namespace latchkey::supervise
