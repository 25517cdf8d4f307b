#include "addon/machine_claim.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "jwt/digest.hpp"

namespace latchkey::node {

// An abstract socket (unix(7)): a name without a file, which nobody has to clean up.
Result<MachineClaim> MachineClaim::take(std::string_view source) {
  const auto digest = jwt::digest_of(source);
  const std::string name = fmt::format("latchkey-limits-{:016x}{:016x}", digest.words[0], digest.words[1]);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path + 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (socket.get() >= 0 && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) {
    return MachineClaim(std::move(socket));
  }
  if (errno == EADDRINUSE) return Error(ErrorCode::conflict, "another process of this machine");
  return Error(ErrorCode::unavailable, fmt::format("cannot claim the local limiter: {}", std::strerror(errno)));
}

}  // namespace latchkey::node
