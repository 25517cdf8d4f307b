#include "http/io_thread.hpp"

#include <fcntl.h>
#include <pthread.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <csignal>

#include "base/log.hpp"
#include "http/listen.hpp"

namespace latchkey::http {
namespace {

// Signals are the main thread's business.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

IoThread::IoThread(const ServerConfig& config, Handler& handler, std::atomic<unsigned>& open, unsigned index)
    : worker_(config, handler, open, index),
      wake_(io_.get_executor(), ::fcntl(worker_.inbox->wake_descriptor(), F_DUPFD_CLOEXEC, 0)) {}

Result<Tcp::endpoint> IoThread::listen(const Tcp::endpoint& endpoint) {
  auto listener = open_listener(io_, endpoint);
  if (!listener) return listener.error();
  listener_.emplace(std::move(*listener));
  return listener_->local_endpoint();
}

void IoThread::start() {
  thread_ = std::thread([this] { run(); });
}

void IoThread::join() {
  if (thread_.joinable()) thread_.join();
}

void IoThread::run() {
  block_signals();
  start_accept();
  start_wake_read();
  start_sweep();
  for (;;) {
    try {
      io_.run();
      break;
    } catch (const std::exception& e) {
      log_error("http: {}", e.what());
    }
  }
  worker_.inbox->close();
}

Connection& IoThread::free_connection() {
  if (worker_.free_slots.empty()) {
    const auto slot = static_cast<std::uint32_t>(connections_.size());
    connections_.push_back(std::make_unique<Connection>(worker_, io_.get_executor(), slot));
    return *connections_.back();
  }
  const auto slot = worker_.free_slots.back();
  worker_.free_slots.pop_back();
  return *connections_[slot];
}

void IoThread::start_accept() {
  if (next_ == nullptr) next_ = &free_connection();
  accepting_ = true;
  listener_->async_accept(next_->socket(), [this](const error_code& ec) { on_accept(ec); });
}

void IoThread::on_accept(const error_code& ec) {
  accepting_ = false;
  if (!ec) admit(*next_);
  if (worker_.draining) return;
  if (ec && ec != asio::error::connection_aborted) {
    // Out of descriptors or memory: the next sweep tries again, rather than a loop that spins.
    log_error("http: accept: {}", ec.message());
    return;
  }
  start_accept();
}

void IoThread::admit(Connection& connection) {
  worker_.tallies.connections.add();
  if (worker_.connections_open.load(std::memory_order_relaxed) >= worker_.config.max_connections) {
    worker_.tallies.refused.add();
    error_code ignored;
    connection.socket().close(ignored);
    return;
  }
  next_ = nullptr;
  connection.open();
}

void IoThread::start_wake_read() {
  wake_.async_read_some(asio::buffer(&wake_count_, sizeof wake_count_), [this](const error_code& ec, std::size_t) {
    if (ec && ec != asio::error::would_block) return;
    deliver_all();
    start_wake_read();
  });
}

void IoThread::deliver_all() {
  worker_.inbox->take(taken_);
  for (auto& delivery : taken_) {
    if (delivery.kind == Delivery::Kind::drain) {
      begin_drain();
    } else {
      connections_[delivery.ticket.slot]->deliver(delivery);
    }
  }
  taken_.clear();
}

void IoThread::drain(std::chrono::milliseconds deadline) {
  drain_milliseconds_ = deadline.count();
  worker_.inbox->post({});
}

void IoThread::begin_drain() {
  if (std::exchange(worker_.draining, true)) return;
  last_call_ = coarse_now() + drain_milliseconds_.load();
  accept_backlog();
  error_code ignored;
  listener_->close(ignored);
  start_sweep();
}

// Clients whose connection the kernel has already accepted would see a reset.
void IoThread::accept_backlog() {
  for (;;) {
    Connection& connection = free_connection();
    error_code ec;
    listener_->accept(connection.socket(), ec);
    if (ec) {
      worker_.free_slots.push_back(
          static_cast<std::uint32_t>(std::find_if(connections_.begin(), connections_.end(),
                                                  [&](const auto& c) { return c.get() == &connection; }) -
                                     connections_.begin()));
      return;
    }
    connection.open();
  }
}

std::chrono::milliseconds IoThread::sweep_period() const {
  using std::chrono::milliseconds;
  if (worker_.draining) return milliseconds(10);
  const auto& c = worker_.config;
  const auto shortest = std::min({c.head_timeout, c.body_timeout, c.idle_timeout, c.write_timeout});
  return std::clamp(shortest / 4, milliseconds(10), milliseconds(500));
}

// One timer for all connections. Starting it anew cancels what was set before.
void IoThread::start_sweep() {
  sweep_timer_.expires_after(sweep_period());
  sweep_timer_.async_wait([this](const error_code& ec) {
    if (!ec) sweep();
  });
}

void IoThread::sweep() {
  const CoarseTime now = coarse_now();
  const bool force = worker_.draining && now >= last_call_;
  for (const auto& connection : connections_) {
    force ? connection->close() : connection->sweep(now);
  }
  if (worker_.draining && all_closed()) return io_.stop();
  if (!accepting_ && !worker_.draining) start_accept();
  start_sweep();
}

bool IoThread::all_closed() const {
  return std::none_of(connections_.begin(), connections_.end(), [](const auto& c) { return c->is_open(); });
}

}  // namespace latchkey::http
