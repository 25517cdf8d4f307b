#pragma once

#include <pthread.h>

#include <csignal>
#include <functional>

namespace latchkey {

/// SIGTERM, SIGINT and SIGHUP, taken by sigwait() in the main thread: blocked before any other thread starts.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  /// Returns when asked to stop; calls `on_hangup` for each SIGHUP before that.
  void wait_for_stop(const std::function<void()>& on_hangup) const {
    int number = 0;
    while (sigwait(&set_, &number) == 0 && number == SIGHUP) on_hangup();
  }

 private:
  sigset_t set_{};
};

}  // namespace latchkey
