#pragma once

// What load to make, and the requests it is made of.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey::bench {

struct Plan {
  std::uint16_t port = 0;  // on 127.0.0.1
  unsigned connections = 64;
  unsigned pipeline = 1;  // requests sent at once; the next go when all are answered
  double rate = 0;        // requests a second over all connections; 0: as fast as answers come
  std::chrono::milliseconds duration{4000};
  std::uint64_t requests = 0;  // ends after so many, if not 0
  bool tls = false;
  bool sequential = false;  // tokens one after another instead of at random
  std::string path = "/v1/tokens/ETH";
  std::string tokens_file;  // one a line; each request carries one
};

/// Whole requests, made before the clock starts.
class Requests {
 public:
  /// Throws std::runtime_error for a file without tokens.
  explicit Requests(const Plan& plan);
  /// The next request of the load.
  std::string_view next();

 private:
  const bool sequential_;
  std::vector<std::string> all_;
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
  std::size_t index_ = 0;
};

}  // namespace latchkey::bench
