#pragma once

// The event loop on epoll(7), edge-triggered for connections: a system call to wait, one to receive, one to send.

#include <sys/epoll.h>

#include <array>
#include <deque>

#include "http/poller.hpp"
#include "http/unsent.hpp"

namespace latchkey::http {

/// What epoll's event points to.
class EpollWatch {
 public:
  /// `events`: of epoll.
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~EpollWatch() = default;
};

/// A closed descriptor is forgotten by itself; an event that was already on its way then may still come.
class EpollPoller final : public Poller {
 public:
  EpollPoller();
  ~EpollPoller() override;

  bool add(int descriptor, Trigger trigger, Watcher& watcher) override;
  void remove(int descriptor) override;
  std::unique_ptr<Transport> make_transport(TransportUser& user) override;
  void turn(std::chrono::milliseconds patience, CoarseTime& now) override;

  bool watch(int descriptor, std::uint32_t events, EpollWatch& watch);

 private:
  static constexpr std::size_t most_events = 64;  // a turn: few enough that their input is still cached when answered

  struct Watch final : EpollWatch {
    explicit Watch(Watcher& w) : watcher(w) {}
    void on_events(std::uint32_t) override { watcher.on_ready(); }
    Watcher& watcher;
  };

  const int epoll_;
  std::array<epoll_event, most_events> events_;
  std::deque<Watch> watches_;  // one a watcher
};

/// A connection on a socket that is ready or not.
class EpollTransport final : public Transport, public EpollWatch {
 public:
  EpollTransport(EpollPoller& poller, TransportUser& user) : poller_(poller), user_(user) {}

  bool open(Socket socket) override;
  void close() override;
  Received receive(std::span<char> into) override;
  Socket::Status send(std::string& octets) override;
  Socket::Status settle() override;
  bool finish_sending() override { return socket_.finish_sending(); }
  void on_events(std::uint32_t events) override;

 private:
  void push_unsent();

  EpollPoller& poller_;
  TransportUser& user_;
  Socket socket_;
  Unsent unsent_;
  bool half_closed_ = false;  // the peer has sent all: receiving will come to the end
};

}  // namespace latchkey::http
