#pragma once

// Live streams of the change log (server-sent events, WHATWG HTML 9.2): one thread reads the store for all of them,
// woken by our own commits and, for what others commit, by the clock.
//
//   id: <position>      event: change      data: <the change as JSON>      and ": heartbeat" in between

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/exchange.hpp"
#include "store/key_store.hpp"

namespace latchkey::keys_service {

struct BroadcasterConfig {
  std::size_t max_streams = 64;
  std::chrono::milliseconds poll{200};
  std::chrono::milliseconds heartbeat{15'000};
};

/// Any thread may call any method.
class Broadcaster {
 public:
  Broadcaster(store::KeyStore& store, const Clock& clock, BroadcasterConfig config = {});
  /// Closes every stream.
  ~Broadcaster();

  /// A place for one more stream, to be asked for before the stream's head is sent. False: all are taken.
  [[nodiscard]] bool reserve();
  /// Sends every change after `after`, then each new one as it is committed. Takes a reserved place, and gives it back
  /// when the stream ends: the peer went, reads too slowly, its admin token expired, or the store has become another
  /// (its epoch changed).
  void add(std::shared_ptr<http::Stream> stream, Position after, UnixMillis until);
  /// Something was committed.
  void nudge();
  std::size_t streams() const;

 private:
  struct Listener {
    std::shared_ptr<http::Stream> stream;
    Position at;
    UnixMillis until;
  };
  enum class Progress : std::uint8_t { caught_up, more };

  void run();
  void accept_new();
  Progress round();
  void end_expired();
  Progress serve(std::uint64_t after, Epoch epoch);
  void send_heartbeats();
  void drop_ended();

  store::KeyStore& store_;
  const Clock& clock_;
  const BroadcasterConfig config_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Listener> fresh_;                           // guarded by mutex_
  std::size_t taken_ = 0;                                 // places; guarded by mutex_
  bool nudged_ = false;                                   // guarded by mutex_
  bool stopping_ = false;                                 // guarded by mutex_
  std::vector<Listener> listeners_;                       // the thread's own
  std::chrono::steady_clock::time_point last_heartbeat_;  // the thread's own
  std::thread thread_;
};

}  // namespace latchkey::keys_service
