#pragma once

// A TCP socket that never blocks, as thin as it can be: one system call a method.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace latchkey::http {

/// Move-only; closes what it holds.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    return *this;
  }
  ~Socket() { close(); }

  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  void close();

  enum class Status : std::uint8_t { done, later, ended };  // later: it would block; ended: by the peer or an error
  struct Moved {
    Status status = Status::done;
    std::size_t size = 0;
  };
  /// At least one octet when `done`.
  Moved receive(std::span<char> into) const;
  Moved send(std::string_view octets) const;
  /// No more is sent; what was sent still arrives. False: the peer is gone.
  bool finish_sending() const;

 private:
  int descriptor_ = -1;
};

}  // namespace latchkey::http
