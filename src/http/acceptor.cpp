#include "http/acceptor.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/log.hpp"

namespace latchkey::http {
namespace {

constexpr int most_accepts_a_turn = 64;  // so that a rush of new clients leaves the others their turn

bool is_unix_socket(int descriptor) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

}  // namespace

Acceptor::Acceptor(Poller& poller, Socket listener, SocketFile file, Take take)
    : poller_(poller),
      listener_(std::move(listener)),
      file_(std::move(file)),
      take_(std::move(take)),
      unix_socket_(is_unix_socket(listener_.descriptor())) {}

void Acceptor::start(CoarseTime now) {
  now_ = now;
  if (!accepting_ && listener_.is_open())
    accepting_ = poller_.add(listener_.descriptor(), Poller::Trigger::level, *this);
}

void Acceptor::finish() {
  file_.remove();
  while (accepting_ && accept_one()) continue;
  if (std::exchange(accepting_, false)) poller_.remove(listener_.descriptor());
  listener_.close();
}

void Acceptor::on_ready() {
  for (int i = 0; i < most_accepts_a_turn && accepting_ && accept_one();) ++i;
}

// At the first one, and then at most once a minute, as it may go on for hours with two tries a second.
void Acceptor::tell_of_failure(int why) {
  ++failures_;
  if (now_ < next_told_) return;
  next_told_ = now_ + std::chrono::milliseconds(std::chrono::minutes(1)).count();
  log_error("http: accept: {}; new clients wait ({} failures since this was last said)",
            std::generic_category().message(why), std::exchange(failures_, 0));
}

// False: there is nobody, or nobody can be let in.
bool Acceptor::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Socket socket(
      ::accept4(listener_.descriptor(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.is_open()) {
    const Peer peer{.address = IpAddress::of(address), .over_unix_socket = unix_socket_};
    return take_(std::move(socket), peer), true;
  }
  if (errno == ECONNABORTED || errno == EINTR) return true;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
  // Out of descriptors or memory: the next sweep tries again, rather than a loop that spins.
  tell_of_failure(errno);
  poller_.remove(listener_.descriptor());
  return accepting_ = false;
}

}  // namespace latchkey::http
