#include "http/io_thread.hpp"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "base/log.hpp"

namespace latchkey::http {
namespace {

// Signals are the main thread's business, but for the one that a touch of memory raises in the thread itself: were it
// blocked, the kernel would kill the process.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigdelset(&all, SIGBUS);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// Asks the scheduler for short turns (Linux 6.12, EEVDF), which lets this thread go before one that computes as soon as
// there is something to do, instead of after its turn of milliseconds. Older kernels take no notice.
void prefer_short_turns() {
  struct {
    std::uint32_t size = 48, policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 100'000, deadline = 0, period = 0;  // nanoseconds
  } attributes;                                                 // the kernel's sched_attr, first version
  attributes.nice = ::getpriority(PRIO_PROCESS, 0);
  if (::sched_getscheduler(0) == SCHED_OTHER) ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace

IoThread::IoThread(const ServerConfig& config, Handler& handler, std::atomic<unsigned>& open, unsigned index,
                   std::unique_ptr<Poller> poller)
    : state_(config, handler, open, index, std::move(poller)) {
  // By edges: each ring is told once, and nobody has to read the count away.
  if (!state_.poller->add(state_.inbox->wake_descriptor(), Poller::Trigger::edge, on_wake_)) {
    throw std::system_error(errno, std::generic_category(), "cannot watch an eventfd");
  }
}

Result<void> IoThread::listen(Endpoint& endpoint) {
  auto listener = open_listener(endpoint);
  if (!listener) return listener.error();
  acceptors_.push_back(
      std::make_unique<Acceptor>(*state_.poller, std::move(*listener), SocketFile(),
                                 [this](Socket socket, const Peer& peer) { admit(std::move(socket), peer); }));
  return {};
}

void IoThread::listen(UnixListener listener, std::span<const std::unique_ptr<IoThread>> threads) {
  acceptors_.push_back(std::make_unique<Acceptor>(
      *state_.poller, std::move(listener.socket), std::move(listener.file),
      [this, threads](Socket socket, const Peer& peer) { give_away(std::move(socket), peer, threads); }));
}

void IoThread::start() {
  thread_ = std::thread([this] { run(); });
}

void IoThread::join() {
  if (thread_.joinable()) thread_.join();
}

void IoThread::run() {
  block_signals();
  prefer_short_turns();
  state_.now = coarse_now();
  next_sweep_ = state_.now + sweep_period().count();
  for (const auto& acceptor : acceptors_) acceptor->start(state_.now);
  while (!ended_) {
    const CoarseTime until_sweep = std::max<CoarseTime>(next_sweep_ - state_.now, 1);
    state_.poller->turn(std::chrono::milliseconds(until_sweep), state_.now);
    answer_received();
    sweep_if_due();
  }
  state_.poller->finish();
  state_.inbox->close();
}

Connection& IoThread::free_connection() {
  if (state_.free_slots.empty()) {
    const auto slot = static_cast<std::uint32_t>(connections_.size());
    connections_.push_back(std::make_unique<Connection>(state_, slot));
    return *connections_.back();
  }
  const auto slot = state_.free_slots.back();
  state_.free_slots.pop_back();
  return *connections_[slot];
}

void IoThread::give_away(Socket socket, const Peer& peer, std::span<const std::unique_ptr<IoThread>> threads) {
  IoThread& taker = *threads[turn_++ % threads.size()];
  Delivery delivery{.kind = Delivery::Kind::client, .socket = std::move(socket), .peer = peer};
  // One that drains may have ended already.
  const bool given = &taker != this && !state_.draining && taker.state_.inbox->post(std::move(delivery));
  if (!given) admit(std::move(delivery.socket), peer);
}

void IoThread::admit(Socket socket, const Peer& peer) {
  state_.tallies.connections.add();
  most_open_ = std::max(most_open_, state_.connections_open.load(std::memory_order_relaxed) + 1);
  if (state_.connections_open.load(std::memory_order_relaxed) >= state_.config.max_connections) {
    state_.tallies.refused.add();
    return;
  }
  free_connection().open(std::move(socket), peer);
  end_oldest_handshakes();
}

// A handshake takes many times the memory of the connection that it is for, and a client that begins one proves
// nothing. The oldest makes room: of those that go on, few take as long.
void IoThread::end_oldest_handshakes() {
  const unsigned most = std::max(state_.config.max_handshakes / std::max(state_.config.threads, 1U), 1U);
  auto& begun = state_.handshakes;
  while (!begun.empty()) {
    Connection& oldest = *connections_[begun.front().slot];
    const bool unfinished = oldest.shakes_hands(begun.front());
    if (unfinished && state_.unfinished_handshakes <= most) return;
    begun.pop_front();
    if (!unfinished) continue;
    state_.tallies.handshakes_ended.add();
    oldest.close();
  }
}

void IoThread::look_ahead() {
  try {
    state_.expected.clear();
    for (Connection* connection : state_.received) {
      if (const Request* request = connection->look_ahead()) state_.expected.push_back(request);
    }
    state_.handler.expect(state_.expected);
  } catch (const std::exception& e) {  // nothing is lost but time
    log_error("http: {}", e.what());
  }
}

// Stage by stage, see connection_io.cpp.
void IoThread::answer_received() {
  if (state_.received.size() > 1) look_ahead();
  for (const auto stage : {&Connection::answer_received, &Connection::send_answers}) {
    for (Connection* connection : state_.received) {
      try {
        (connection->*stage)();
      } catch (const std::exception& e) {  // must not take the others' turn
        log_error("http: {}", e.what());
      }
    }
  }
  state_.received.clear();
}

void IoThread::deliver_all() {
  state_.inbox->take(taken_);
  for (auto& delivery : taken_) {
    if (delivery.kind == Delivery::Kind::drain) {
      begin_drain();
    } else if (delivery.kind == Delivery::Kind::client) {
      admit(std::move(delivery.socket), delivery.peer);
    } else {
      connections_[delivery.ticket.slot]->deliver(delivery);
    }
  }
  taken_.clear();
}

void IoThread::drain(std::chrono::milliseconds deadline) {
  drain_milliseconds_ = deadline.count();
  state_.inbox->post({});
}

void IoThread::begin_drain() {
  if (std::exchange(state_.draining, true)) return;
  last_call_ = state_.now + drain_milliseconds_.load();
  for (const auto& acceptor : acceptors_) acceptor->finish();
  next_sweep_ = 0;
}

std::chrono::milliseconds IoThread::sweep_period() const {
  using std::chrono::milliseconds;
  if (state_.draining) return milliseconds(10);
  const auto& c = state_.config;
  const auto shortest = std::min({c.head_timeout, c.body_timeout, c.idle_timeout, c.write_timeout});
  return std::clamp(shortest / 4, milliseconds(10), milliseconds(500));
}

// One timer for all connections.
void IoThread::sweep_if_due() {
  if (state_.now < next_sweep_) return;
  sweep();
  next_sweep_ = state_.now + sweep_period().count();
}

void IoThread::sweep() {
  state_.tallies.sweeps.add();
  state_.poller->submit();  // so that no connection is closed while its answer waits
  const bool force = state_.draining && state_.now >= last_call_;
  for (const auto& connection : connections_) {
    force ? connection->close() : connection->sweep(state_.now);
  }
  if (state_.draining && all_closed()) ended_ = true;
  if (!state_.draining) {
    for (const auto& acceptor : acceptors_) acceptor->start(state_.now);
  }
  if (state_.index == 0) return_memory();
}

// What a crowd of connections took, the allocator keeps for the next crowd, which may never come. After a crowd only,
// and not for each of many: it takes locks that others may wait for.
void IoThread::return_memory() {
  constexpr unsigned crowd = 32;
  constexpr CoarseTime pause_ms = 2000;
  const unsigned open = state_.connections_open.load(std::memory_order_relaxed);
  most_open_ = std::max(most_open_, open);
  if (most_open_ < open + crowd || open > most_open_ / 2 || state_.now < next_return_) return;
  most_open_ = open;
  next_return_ = state_.now + pause_ms;
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

bool IoThread::all_closed() const {
  return std::none_of(connections_.begin(), connections_.end(), [](const auto& c) { return c->is_open(); });
}

}  // namespace latchkey::http
