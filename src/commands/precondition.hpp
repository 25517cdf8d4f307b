#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "key/position.hpp"

namespace latchkey::commands {

/// Which versions of a row a command may act on: optimistic concurrency (RFC 9110, 13.1.1).
class Precondition {
 public:
  /// Any version.
  Precondition() = default;
  /// From a list of entity tags as in If-Match: `"42"`, `"41", "42"` or `*`. `W/"42"` is the same version: our tags
  /// name versions of a row, and a proxy that compresses writes them so (docs/decisions/weak-etags.md). Whatever is no
  /// tag of ours matches no version, so a header that cannot be met fails rather than being ignored.
  static Precondition from_etags(std::string_view list);

  bool holds(Version version) const;

 private:
  std::optional<std::vector<Version>> versions_;  // nullopt: any
};

}  // namespace latchkey::commands
