#pragma once

// How other threads reach an I/O thread. Its loop runs without any lock: they leave a delivery here and ring an eventfd
// that it watches.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "http/message.hpp"
#include "http/peer.hpp"
#include "http/socket.hpp"

namespace latchkey::http {

class StreamState;

/// One request in progress: the connection may be gone by the time its answer comes, or serve another client.
struct Ticket {
  std::uint32_t slot = 0;
  std::uint64_t generation = 0;
};

struct Delivery {
  enum class Kind : std::uint8_t { answer, begin_stream, stream_ready, client, drain };
  Kind kind = Kind::drain;
  Ticket ticket{};
  Response response{};
  std::shared_ptr<StreamState> stream{};
  Socket socket{};  // of a client, which another thread has accepted
  Peer peer{};      // its
};

/// Any thread may post, before, during and after the I/O thread's life.
class Inbox {
 public:
  Inbox();
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// False once closed: nobody will see the delivery, which is as it was.
  bool post(Delivery&& delivery);
  /// What has been posted since, in order. The I/O thread's.
  void take(std::vector<Delivery>& into);
  /// After the I/O thread's last take().
  void close();
  int wake_descriptor() const { return wake_; }

 private:
  Mutex mutex_;
  std::vector<Delivery> deliveries_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  const int wake_;
};

}  // namespace latchkey::http
