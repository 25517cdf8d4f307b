#pragma once

#include <pthread.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>

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
  struct Tick {
    std::chrono::milliseconds every;
    std::function<void()> act;
  };

  /// Returns when asked to stop; before that, calls `on_hangup` for each SIGHUP, and the tick where there is one.
  void wait_for_stop(const std::function<void()>& on_hangup, const std::optional<Tick>& tick = {}) const {
    int number = 0;
    do {
      if (number == SIGHUP) on_hangup();
      if (number == 0 && tick) tick->act();
      number = next(tick);
    } while (number == SIGHUP || number == 0);
    if (number == SIGXCPU) log_warning("RLIMIT_CPU: the processor time that this process may use is used up: stopping");
  }
  /// Whether it was asked to stop meanwhile. A SIGHUP finds nothing to read again yet.
  bool stopped_within(std::chrono::seconds pause) const {
    const timespec longest{.tv_sec = pause.count(), .tv_nsec = 0};
    const int number = sigtimedwait(&set_, nullptr, &longest);
    return number > 0 && number != SIGHUP;
  }

 private:
  /// 0: the tick is due.
  int next(const std::optional<Tick>& tick) const {
    using namespace std::chrono;
    int number = 0;
    if (!tick) return sigwait(&set_, &number) == 0 ? number : SIGTERM;
    const auto seconds = duration_cast<std::chrono::seconds>(tick->every);
    const timespec wait{seconds.count(), duration_cast<nanoseconds>(tick->every - seconds).count()};
    number = ::sigtimedwait(&set_, nullptr, &wait);
    return number < 0 ? 0 : number;
  }

  sigset_t set_{};
};

}  // namespace latchkey
