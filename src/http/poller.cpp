#include "http/poller.hpp"

#include <ctime>
#include <exception>

#include "base/log.hpp"

namespace latchkey::http {

CoarseTime coarse_now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

void Poller::log_current_exception() noexcept {
  try {
    throw;
  } catch (const std::exception& e) {
    log_error("http: {}", e.what());
  } catch (...) {
    log_error("http: not a std::exception");
  }
}

void Poller::dispatch_requeued() {
  for (TransportUser* user : now_) dispatch([user] { user->on_turn(); });
  now_.clear();
}

}  // namespace latchkey::http
