#include "base/clock.hpp"

#include <ctime>

namespace latchkey {
namespace {

std::int64_t read_nanos(clockid_t id) {
  timespec ts{};
  ::clock_gettime(id, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

}  // namespace

UnixMillis SystemClock::wall() const { return {read_nanos(CLOCK_REALTIME) / 1'000'000}; }
BootTime SystemClock::boot() const { return {read_nanos(CLOCK_BOOTTIME)}; }

}  // namespace latchkey
