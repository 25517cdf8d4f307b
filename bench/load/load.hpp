#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "load/histogram.hpp"
#include "load/plan.hpp"

namespace latchkey::bench {

struct Outcome {
  double seconds = 0;
  std::uint64_t answers = 0;
  std::map<int, std::uint64_t> statuses;
  Histogram latency;
  std::string cipher;  // of the first connection; empty without TLS

  std::string to_json() const;
};

/// Makes the load from this thread alone, by epoll: cheap enough that one core of it saturates one core of any server
/// measured here. Throws std::runtime_error when the server cannot be reached or breaks a connection.
Outcome run(const Plan& plan);

}  // namespace latchkey::bench
