#pragma once

#include <pthread.h>

#include <csignal>
#include <functional>

#include "base/log.hpp"

namespace latchkey {

/// SIGTERM, SIGINT, SIGHUP and SIGXCPU, taken by sigwait() in the main thread: blocked before any other thread starts.
/// What is sent for other resources, base/resource_signals.hpp decides.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGXCPU}) sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  /// Returns when asked to stop; calls `on_hangup` for each SIGHUP before that.
  void wait_for_stop(const std::function<void()>& on_hangup) const {
    int number = 0;
    while (sigwait(&set_, &number) == 0 && number == SIGHUP) on_hangup();
    if (number == SIGXCPU) log_warning("RLIMIT_CPU: the processor time that this process may use is used up: stopping");
  }

 private:
  sigset_t set_{};
};

}  // namespace latchkey
