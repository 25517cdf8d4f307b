#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/poller.hpp"

namespace latchkey::http {

enum class IoEngine : std::uint8_t {
  automatic,  // io_uring where it works, else epoll
  io_uring,
  epoll,
};

/// "auto", "io_uring", "epoll".
std::string_view to_string(IoEngine engine);
IoEngine io_engine_of(std::string_view name);

struct ChosenEngine {
  IoEngine engine = IoEngine::epoll;  // never automatic
  std::string why_not_io_uring{};     // where it was to be tried
};

/// Tries io_uring by one exchange over a pair of sockets: kernels before 6.1 lack what is needed, and many containers
/// forbid it. ErrorCode::unavailable, with the reason, only where io_uring was asked for by name.
Result<ChosenEngine> choose_engine(IoEngine wanted);

/// Throws std::system_error where the kernel has not even what choose_engine() found.
std::unique_ptr<Poller> make_poller(IoEngine engine);

}  // namespace latchkey::http
