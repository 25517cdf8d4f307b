#pragma once

// Live streams of the change log (server-sent events, WHATWG HTML 9.2): one thread reads the store for all of them,
// woken by our own commits and, for what others commit, by the clock.
//
//   id: <position>      event: change      data: <the change as JSON>      and ": heartbeat" in between

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "base/wakeable_thread.hpp"
#include "http/exchange.hpp"
#include "jwt/admin_token.hpp"
#include "store/key_store.hpp"

namespace latchkey::keys_service {

struct BroadcasterConfig {
  std::size_t max_streams = 64;  // half of them at most for one admin
  std::chrono::milliseconds poll{200};
  std::chrono::milliseconds heartbeat{15'000};
};

/// Any thread may call any method.
class Broadcaster {
 public:
  Broadcaster(store::KeyStore& store, const Clock& clock, BroadcasterConfig config = {});
  /// Closes every stream.
  ~Broadcaster();

  /// A place for one more stream of this admin, to be asked for before the stream's head is sent. False: all are
  /// taken, or half of them by this admin.
  [[nodiscard]] bool reserve(const std::string& admin);
  /// Sends every change after `after`, then each new one as it is committed. Takes a reserved place, and gives it back
  /// when the stream ends: the peer went, reads too slowly, its admin token expired, or the store has become another
  /// (its epoch changed).
  void add(std::shared_ptr<http::Stream> stream, Position after, const jwt::AdminIdentity& admin);
  /// Something was committed.
  void nudge() { thread_.wake(); }
  std::size_t streams() const;

 private:
  struct Listener {
    std::shared_ptr<http::Stream> stream;
    Position at;
    jwt::AdminIdentity admin;
  };
  enum class Progress : std::uint8_t { caught_up, more };

  void run();
  std::size_t all_taken() const REQUIRES(mutex_);
  static bool has_room(const Listener& listener);
  void accept_new();
  Progress round();
  void end_expired();
  Progress serve(Seq after, Epoch epoch);
  void send_heartbeats();
  void drop_ended();

  store::KeyStore& store_;
  const Clock& clock_;
  const BroadcasterConfig config_;
  mutable Mutex mutex_;
  std::vector<Listener> fresh_ GUARDED_BY(mutex_);
  std::map<std::string, std::size_t> taken_ GUARDED_BY(mutex_);  // places, by the admin's subject
  std::vector<Listener> listeners_;                              // the thread's own
  std::chrono::steady_clock::time_point last_heartbeat_;         // the thread's own
  WakeableThread thread_;
};

}  // namespace latchkey::keys_service
