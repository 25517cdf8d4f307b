#pragma once

// Two services as two child processes that never outlive this one.

#include <sys/types.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "data_dir/data_dir.hpp"

namespace latchkey::supervise {

constexpr int max_quick_failures = 5;                       // in a row; then the supervisor gives up
constexpr std::chrono::seconds quick_failure_lifetime{10};  // a child that lived longer failed for another reason
constexpr std::chrono::seconds long_start{10};              // then it is said that somebody waits

/// One thread. Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD for the process, to take them where it waits. A SIGHUP that
/// was sent to it goes on to both services; a closed terminal ends it as Ctrl-C does.
class Supervisor {
 public:
  Supervisor(std::string program, const config::Settings& settings, const data_dir::DataDir& data);

  /// Starts both, calls `when_ready` once both are, and starts again, after a pause, whichever dies. Returns 0 after
  /// SIGINT or SIGTERM, when both have ended; 1 where one keeps failing, or ends with a reason before both were ready:
  /// what keeps a service from its first start, such as a port that is taken, another try does not mend.
  int run(const std::function<void()>& when_ready);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Child {
    data_dir::Service service;
    pid_t pid = 0;  // 0: not running
    Time started, start_again;
    int quick_failures = 0;
  };

  void start(Child& child);
  void start_due();
  /// False once one has failed too often.
  bool reap();
  bool note_death(Child& child, int status);
  bool all_ready() const;
  void tell_all(int signal) const;
  void stop_all();

  std::string program_;
  std::vector<std::string> environment_;
  const data_dir::DataDir& data_;
  const std::string certificate_;  // of both services; empty: they speak no TLS
  std::array<Child, 2> children_;
  bool told_ = false;    // both were ready, and when_ready was called
  bool warned_ = false;  // that they are not
};

}  // namespace latchkey::supervise
