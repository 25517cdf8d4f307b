#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "http/acceptor.hpp"
#include "http/connection.hpp"
#include "http/io_thread_state.hpp"
#include "http/listen.hpp"
#include "http/poller.hpp"

namespace latchkey::http {

/// One thread with its own poller, listener and connections. Shares nothing with the others but a counter.
class IoThread {
 public:
  IoThread(const ServerConfig& config, Handler& handler, std::atomic<unsigned>& open, unsigned index,
           std::unique_ptr<Poller> poller);
  ~IoThread() { join(); }

  // Before start().
  /// Port 0 of `endpoint` becomes the one that was free.
  Result<void> listen(Endpoint& endpoint);
  /// A Unix socket cannot be listened at by several threads, so this one takes the clients in and gives each in turn to
  /// one of `threads`, of which it is one. They outlive it.
  void listen(UnixListener listener, std::span<const std::unique_ptr<IoThread>> threads);
  void start();
  /// Any thread: stop accepting, finish what is in progress within `deadline`, end.
  void drain(std::chrono::milliseconds deadline);
  void join();
  const Tallies& tallies() const { return state_.tallies; }

 private:
  template <void (IoThread::*act)()>
  struct Calls final : Watcher {
    explicit Calls(IoThread& t) : thread(t) {}
    void on_ready() override { (thread.*act)(); }
    IoThread& thread;
  };

  void run();
  void admit(Socket socket, const Peer& peer);
  void give_away(Socket socket, const Peer& peer, std::span<const std::unique_ptr<IoThread>> threads);
  void end_oldest_handshakes();
  Connection& free_connection();
  void look_ahead();
  void answer_received();
  void deliver_all();
  void begin_drain();
  void sweep_if_due();
  void sweep();
  void return_memory();
  bool all_closed() const;
  std::chrono::milliseconds sweep_period() const;

  IoThreadState state_;
  Calls<&IoThread::deliver_all> on_wake_{*this};
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::size_t turn_ = 0;                                  // of the threads that clients are given to
  std::vector<std::unique_ptr<Connection>> connections_;  // by slot; kept for reuse
  std::vector<Delivery> taken_;
  unsigned most_open_ = 0;  // connections since memory was returned, over all threads
  CoarseTime next_return_ = 0;
  bool ended_ = false;
  CoarseTime next_sweep_ = 0;
  CoarseTime last_call_ = 0;                         // when draining: then all are closed
  std::atomic<std::int64_t> drain_milliseconds_{0};  // written before the drain delivery
  std::thread thread_;
};

}  // namespace latchkey::http
