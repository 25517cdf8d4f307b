#include "http/io_engine.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "http/epoll/epoll_poller.hpp"
#include "http/uring/linux_ring.hpp"
#include "http/uring/uring_poller.hpp"

namespace latchkey::http {
namespace {

// Answers what it hears with the same.
class Echo final : public TransportUser {
 public:
  explicit Echo(Poller& poller) : transport_(poller.make_transport(*this)) {}
  bool open(Socket socket) { return transport_->open(std::move(socket)); }
  void close() { transport_->close(); }
  void on_readable() override {
    char octets[16];
    const auto received = transport_->receive(octets);
    std::string answer(octets, received.size);
    if (received.size > 0) transport_->send(answer);
  }
  void on_sent(Socket::Status) override {}
  void on_turn() override {}

 private:
  const std::unique_ptr<Transport> transport_;
};

bool carries_octets(Poller& poller) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return false;
  Socket near(ends[0]);
  const Socket far(ends[1]);
  Echo echo(poller);
  echo.open(std::move(near));
  std::string heard;
  for (const std::string_view said : {"one", "two"}) {  // the second comes to the same receive
    far.send(said);
    heard.clear();
    for (int i = 0; i < 10 && heard != said; ++i) {
      CoarseTime now = 0;
      poller.turn(std::chrono::milliseconds(10), now);
      char octets[16];
      const auto received = far.receive(octets);
      heard.append(octets, received.size);
    }
  }
  echo.close();
  poller.finish();
  return heard == "two";
}

std::optional<std::string> why_not_io_uring() {
  auto ring = open_linux_ring();
  if (!ring) return ring.error().detail;
  try {
    UringPoller poller(std::move(*ring));
    if (carries_octets(poller)) return std::nullopt;
    return "the kernel lacks multishot receive";
  } catch (const std::system_error& e) {
    return e.what();
  }
}

}  // namespace

std::string_view to_string(IoEngine engine) {
  switch (engine) {
    case IoEngine::io_uring:
      return "io_uring";
    case IoEngine::epoll:
      return "epoll";
    default:
      return "auto";
  }
}

IoEngine io_engine_of(std::string_view name) {
  if (name == "io_uring") return IoEngine::io_uring;
  return name == "epoll" ? IoEngine::epoll : IoEngine::automatic;
}

Result<ChosenEngine> choose_engine(IoEngine wanted) {
  if (wanted == IoEngine::epoll) return ChosenEngine{};
  auto why_not = why_not_io_uring();
  if (!why_not) return ChosenEngine{IoEngine::io_uring, {}};
  if (wanted == IoEngine::automatic) return ChosenEngine{IoEngine::epoll, std::move(*why_not)};
  return Error(ErrorCode::unavailable, fmt::format("io_uring does not work here: {}", *why_not));
}

std::unique_ptr<Poller> make_poller(IoEngine engine) {
  if (engine != IoEngine::io_uring) return std::make_unique<EpollPoller>();
  auto ring = open_linux_ring();
  if (!ring) throw std::system_error(std::make_error_code(std::errc::not_enough_memory), ring.error().detail);
  return std::make_unique<UringPoller>(std::move(*ring));
}

}  // namespace latchkey::http
