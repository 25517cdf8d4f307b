#include "base/boot_id.hpp"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace latchkey {
namespace {

/// The two numbers behind "boottime"; a kernel without time namespaces has no such file and shifts nothing.
std::string boot_time_shift() {
  std::ifstream offsets("/proc/self/timens_offsets");
  for (std::string clock, seconds, nanos; offsets >> clock >> seconds >> nanos;) {
    if (clock == "boottime" && (seconds != "0" || nanos != "0")) return fmt::format("+{}.{}", seconds, nanos);
  }
  return "";
}

}  // namespace

BootId BootId::current() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  if (id.empty()) throw std::runtime_error("cannot read /proc/sys/kernel/random/boot_id");
  return {id + boot_time_shift()};
}

}  // namespace latchkey
