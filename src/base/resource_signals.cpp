#include "base/resource_signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>
#include <string_view>

#include "base/mapping_guard.hpp"

namespace latchkey {

namespace {

// Nothing but system calls: it may have come in the middle of anything.
void on_bus_error(int, siginfo_t* about, void*) {
  if (about->si_code == BUS_ADRERR && MappingGuard::mend(about->si_addr)) return;
  constexpr std::string_view said =
      "error a file that is mapped (a -shm of a database?) was shortened by somebody else, or the machine's memory is "
      "broken: this process ends, and can be started again\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, said.data(), said.size());
  ::_exit(1);
}

}  // namespace

void decide_resource_signals() {
  struct sigaction bus {};
  bus.sa_sigaction = on_bus_error;
  bus.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &bus, nullptr);
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
}

}  // namespace latchkey
