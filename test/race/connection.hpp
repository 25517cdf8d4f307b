#pragma once

// Just enough of an HTTP client: whole requests in, whole answers out, in order, over one connection.

#include <cstdint>
#include <string>
#include <string_view>

namespace latchkey::race {

struct Answer {
  int status = 0;
  std::string_view head;  // valid until the next receive()
  std::string_view body;
};

/// One thread. Whatever goes wrong throws std::runtime_error.
class Connection {
 public:
  explicit Connection(std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view requests);
  /// The next answer; waits for it.
  Answer receive();

 private:
  int fd_;
  std::string input_;
  std::size_t begin_ = 0;  // of what has not been handed out
};

}  // namespace latchkey::race
