#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "http/socket.hpp"

namespace latchkey::http {

/// Octets of which the socket would not take all. Given back to the allocator once they are large: there may be 10,000
/// connections.
class Unsent {
 public:
  bool empty() const { return sent_ == octets_.size(); }

  /// Keeps all of `octets` but the first `sent`, behind what it has, and leaves it empty.
  void keep(std::string& octets, std::size_t sent) {
    if (!empty()) {
      octets_.append(octets, sent);
    } else {
      octets_.swap(octets);
      sent_ = sent;
    }
    octets.clear();
  }

  struct Push {
    Socket::Status status = Socket::Status::done;  // `later`: some is left
    bool moved = false;
  };
  /// Sends until all is gone or the socket takes no more.
  Push push(const Socket& socket) {
    bool moved_any = false;
    while (!empty()) {
      const auto [status, n] = socket.send(std::string_view(octets_).substr(sent_));
      if (status != Socket::Status::done) return {status, moved_any};
      sent_ += n;
      moved_any = true;
    }
    clear();
    return {Socket::Status::done, moved_any};
  }

  void clear() {
    sent_ = 0;
    forget(octets_);
  }

  static void forget(std::string& octets) {
    octets.clear();
    if (octets.capacity() > kept_capacity) std::string().swap(octets);
  }

 private:
  static constexpr std::size_t kept_capacity = 64 * 1024;

  std::string octets_;
  std::size_t sent_ = 0;
};

}  // namespace latchkey::http
