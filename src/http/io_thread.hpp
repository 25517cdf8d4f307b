#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "http/asio_types.hpp"
#include "http/connection.hpp"
#include "http/worker.hpp"

namespace latchkey::http {

/// One thread with its own io_context, listener and connections. Shares nothing with the others but a counter.
class IoThread {
 public:
  IoThread(const ServerConfig& config, Handler& handler, std::atomic<unsigned>& open, unsigned index);
  ~IoThread() { join(); }

  Result<Tcp::endpoint> listen(const Tcp::endpoint& endpoint);
  void start();
  /// Any thread: stop accepting, finish what is in progress within `deadline`, end.
  void drain(std::chrono::milliseconds deadline);
  void join();
  const Tallies& tallies() const { return worker_.tallies; }

 private:
  void run();
  void start_accept();
  void on_accept(const error_code& ec);
  void admit(Connection& connection);
  Connection& free_connection();
  void start_wake_read();
  void deliver_all();
  void begin_drain();
  void accept_backlog();
  void start_sweep();
  void sweep();
  bool all_closed() const;
  std::chrono::milliseconds sweep_period() const;

  // Declared first, destroyed last: sockets must not outlive it.
  asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  Worker worker_;
  std::optional<Acceptor> listener_;
  Timer sweep_timer_{io_.get_executor()};
  Descriptor wake_;
  std::uint64_t wake_count_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;  // by slot; kept for reuse
  Connection* next_ = nullptr;                            // into which the next client is accepted
  std::vector<Delivery> taken_;
  bool accepting_ = false;
  CoarseTime last_call_ = 0;                         // when draining: then all are closed
  std::atomic<std::int64_t> drain_milliseconds_{0};  // written before the drain delivery
  std::thread thread_;
};

}  // namespace latchkey::http
