#include "http/epoll/epoll_poller.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace latchkey::http {

EpollPoller::EpollPoller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll");
}

EpollPoller::~EpollPoller() { ::close(epoll_); }

bool EpollPoller::watch(int descriptor, std::uint32_t events, EpollWatch& watch) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watch;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

bool EpollPoller::add(int descriptor, Trigger trigger, Watcher& watcher) {
  auto known = std::find_if(watches_.begin(), watches_.end(), [&](const Watch& w) { return &w.watcher == &watcher; });
  Watch& entry = known != watches_.end() ? *known : watches_.emplace_back(watcher);
  return watch(descriptor, trigger == Trigger::edge ? EPOLLIN | EPOLLET : EPOLLIN, entry);
}

void EpollPoller::remove(int descriptor) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr); }

std::unique_ptr<Transport> EpollPoller::make_transport(TransportUser& user) {
  return std::make_unique<EpollTransport>(*this, user);
}

// The clock is read once a turn, after the wait: all that is handled in this turn has the same time.
void EpollPoller::turn(std::chrono::milliseconds patience, CoarseTime& now) {
  const int timeout = has_requeued() ? 0 : static_cast<int>(patience.count());
  const int n = ::epoll_wait(epoll_, events_.data(), most_events, timeout);
  now = coarse_now();
  take_requeued();
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    dispatch([&event] { static_cast<EpollWatch*>(event.data.ptr)->on_events(event.events); });
  }
  dispatch_requeued();
}

bool EpollTransport::open(Socket socket) {
  socket_ = std::move(socket);
  half_closed_ = false;
  return poller_.watch(socket_.descriptor(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
}

void EpollTransport::close() {
  socket_.close();
  unsent_.clear();
}

// Edge-triggered: each event is told once. So a hang-up is remembered, and readable is told although only the end
// came.
void EpollTransport::on_events(std::uint32_t events) {
  if (!socket_.is_open()) return;  // an event that was on its way already
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) half_closed_ = true;
  if (!unsent_.empty() && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) push_unsent();
  if (socket_.is_open() && (events & ~std::uint32_t{EPOLLOUT}) != 0) user_.on_readable();
}

void EpollTransport::push_unsent() {
  const auto [status, moved] = unsent_.push(socket_);
  if (status != Socket::Status::later || moved) user_.on_sent(status);
}

Transport::Received EpollTransport::receive(std::span<char> into) {
  const auto [status, size] = socket_.receive(into);
  // A short read drained the socket; epoll signals again. The end of the peer's octets is not told
  // twice.
  const bool more = half_closed_ ? status == Socket::Status::done : size == into.size();
  return {status, size, more};
}

// Sends at once: a socket is nearly always writable, and waiting to hear so would cost another turn of the loop.
Socket::Status EpollTransport::send(std::string& octets) {
  std::size_t sent = 0;
  while (sent < octets.size()) {
    const auto [status, n] = socket_.send(std::string_view(octets).substr(sent));
    if (status == Socket::Status::later) unsent_.keep(octets, sent);
    if (status != Socket::Status::done) return status;
    sent += n;
  }
  Unsent::forget(octets);
  return Socket::Status::done;
}

Socket::Status EpollTransport::settle() { return unsent_.empty() ? Socket::Status::done : Socket::Status::later; }

}  // namespace latchkey::http
