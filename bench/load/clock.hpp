#pragma once

#include <cstdint>
#include <ctime>

namespace latchkey::bench {

inline std::uint64_t nanoseconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

inline std::uint64_t now_ns() { return nanoseconds_of(CLOCK_MONOTONIC); }
/// CPU time of this process.
inline std::uint64_t cpu_ns() { return nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace latchkey::bench
