#include "http/server.hpp"

#include <vector>

#include "base/mutex.hpp"
#include "http/io_thread.hpp"
#include "http/listen.hpp"

namespace latchkey::http {

class Server::Impl {
 public:
  Impl(ServerConfig config, Handler& handler) : config_(std::move(config)), io_(choose_engine(config_.io)) {
    if (!io_) return;
    for (unsigned i = 0; i < std::max(config_.threads, 1U); ++i) {
      threads_.push_back(std::make_unique<IoThread>(config_, handler, open_, i, make_poller(io_->engine)));
    }
  }

  Result<void> start() {
    if (!io_) return io_.error();
    auto addresses = parse_listen(config_.listen);
    if (!addresses) return addresses.error();
    for (auto& address : *addresses) {
      if (auto listening = std::visit([this](auto& at) { return listen(at); }, address); !listening) return listening;
    }
    addresses_ = std::move(*addresses);
    for (const auto& thread : threads_) thread->start();
    const MutexLock lock(stopping_);
    started_ = true;
    return {};
  }

  void stop(std::chrono::milliseconds deadline) {
    const MutexLock lock(stopping_);
    if (!std::exchange(started_, false)) return;
    for (const auto& thread : threads_) thread->drain(deadline);
    for (const auto& thread : threads_) thread->join();
  }

  bool progressed() {
    sweeps_seen_.resize(threads_.size());
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (threads_[i]->tallies().sweeps.value() == sweeps_seen_[i]) return false;
    }
    for (std::size_t i = 0; i < threads_.size(); ++i) sweeps_seen_[i] = threads_[i]->tallies().sweeps.value();
    return true;
  }

  ChosenEngine io() const { return io_ ? *io_ : ChosenEngine{}; }
  std::uint16_t port() const {
    for (const auto& address : addresses_) {
      if (const auto* endpoint = std::get_if<Endpoint>(&address)) return endpoint->port();
    }
    return 0;
  }

  std::vector<std::string> urls() const {
    std::vector<std::string> urls;
    for (const auto& address : addresses_) urls.push_back(reachable_url(config_.tls ? "https" : "http", address));
    return urls;
  }

  ServerStats stats() const {
    ServerStats stats{open_.load(std::memory_order_relaxed), 0, 0, 0, 0, 0};
    for (const auto& thread : threads_) {
      const Tallies& tallies = thread->tallies();
      stats.connections_total += tallies.connections.value();
      stats.connections_refused += tallies.refused.value();
      stats.requests_total += tallies.requests.value();
      stats.malformed_total += tallies.malformed.value();
      stats.handshakes_ended += tallies.handshakes_ended.value();
    }
    return stats;
  }

 private:
  Result<void> listen(Endpoint& endpoint) {
    if (auto unused = check_unused(endpoint); !unused) return unused;
    for (const auto& thread : threads_) {
      if (auto listening = thread->listen(endpoint); !listening) return listening;
    }
    return {};
  }

  Result<void> listen(const UnixAddress& address) {
    auto listener = UnixListener::open(address);
    if (!listener) return listener.error();
    threads_.front()->listen(std::move(*listener), threads_);
    return {};
  }

  const ServerConfig config_;
  const Result<ChosenEngine> io_;
  std::atomic<unsigned> open_{0};
  std::vector<ListenAddress> addresses_;  // once started
  Mutex stopping_;
  bool started_ GUARDED_BY(stopping_) = false;
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::vector<std::uint64_t> sweeps_seen_;  // of each thread, when progressed() was last true
};

Server::Server(ServerConfig config, Handler& handler) : impl_(std::make_unique<Impl>(std::move(config), handler)) {}
Server::~Server() { stop(std::chrono::milliseconds(0)); }
Result<void> Server::start() { return impl_->start(); }
std::uint16_t Server::port() const { return impl_->port(); }
void Server::stop(std::chrono::milliseconds deadline) { impl_->stop(deadline); }
std::vector<std::string> Server::urls() const { return impl_->urls(); }
ServerStats Server::stats() const { return impl_->stats(); }
bool Server::progressed() { return impl_->progressed(); }
ChosenEngine Server::io() const { return impl_->io(); }

}  // namespace latchkey::http
