#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "load/histogram.hpp"
#include "load/plan.hpp"

namespace latchkey::bench {

struct Outcome {
  double seconds = 0;
  double cpu_seconds = 0;  // of the load itself: near `seconds`, the load was the limit, not the server
  std::uint64_t answers = 0;
  std::map<int, std::uint64_t> statuses;
  Histogram latency;
  std::string cipher;  // of the first connection; empty without TLS

  std::string to_json() const;
};

/// Makes the load from this thread alone, by epoll, one system call a request sent and one an answer received. Throws
/// std::runtime_error when the server cannot be reached or breaks a connection.
Outcome run(const Plan& plan);
/// The same with clients that share their system calls (io_uring), which leaves the server more of the machine.
Outcome run_batching(const Plan& plan);

}  // namespace latchkey::bench
