#pragma once

#include <string>

namespace latchkey {

/// Names the life of the machine within which BootTimes compare: another after a reboot, and another in a time
/// namespace (time_namespaces(7)) whose boot time is shifted.
struct BootId {
  std::string text;
  bool operator==(const BootId&) const = default;
  /// Throws std::runtime_error where /proc does not tell.
  static BootId current();
};

}  // namespace latchkey
