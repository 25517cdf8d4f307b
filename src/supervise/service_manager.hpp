#pragma once

// What a service tells the service manager that started it: systemd, by sd_notify(3)'s protocol, which is one datagram
// of `NAME=VALUE` lines to the socket that $NOTIFY_SOCKET names. Its own words instead of libsystemd, as that page
// advises: nothing else of that library is needed.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace latchkey::supervise {

/// One thread. Nothing here fails: a manager that cannot be told does what it does with a silent service.
class ServiceManager {
 public:
  /// Reads a variable of the environment; null: it is not set.
  using Environment = std::function<const char*(const char* name)>;

  /// By NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Without them nobody is told anything.
  explicit ServiceManager(const Environment& environment);

  void ready(std::string_view status) const;
  void stopping() const;
  void alive() const;

  /// Between two calls of alive(): half of what the manager waits for. None: it does not watch this process.
  std::optional<std::chrono::milliseconds> watchdog_interval() const { return interval_; }

 private:
  void tell(std::string_view lines) const;

  std::string socket_;  // a path, or '@' and an abstract name; empty: nobody listens
  std::optional<std::chrono::milliseconds> interval_;
};

}  // namespace latchkey::supervise
