#pragma once

#include <string>

namespace latchkey {

/// Names the life of the machine within which BootTimes compare: another after a reboot, and another in a time
/// namespace (time_namespaces(7)) with a shifted boot time.
struct BootId {
  std::string text;
  bool operator==(const BootId&) const = default;
  /// Throws std::runtime_error where /proc does not tell.
  static BootId current();
};

}  // namespace latchkey
