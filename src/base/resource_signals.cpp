#include "base/resource_signals.hpp"

#include <csignal>
#include <initializer_list>

namespace latchkey {

void decide_resource_signals() {
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
}

}  // namespace latchkey
