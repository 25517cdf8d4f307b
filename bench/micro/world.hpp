#pragma once

// A view and a limiter with so many keys, all of them warm: token remembered, admitted once.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "access/access_check.hpp"
#include "base/clock.hpp"
#include "limit/local/local_limiter.hpp"
#include "view/view.hpp"

namespace latchkey::bench {

class World {
 public:
  explicit World(std::uint64_t keys);

  /// The world of that size; the one before goes when another size is asked for.
  static World& of(std::uint64_t keys);

  const std::uint64_t keys;
  SystemClock clock;
  view::View view;
  access::AccessCheck check{view, clock, {.max_staleness = std::chrono::hours(24)}};
  limit::LocalLimiter limiter{clock};
  std::string kid;

  /// Tokens of keys chosen at random from those whose number leaves `remainder` when divided by `of`.
  std::vector<std::string> random_tokens(std::size_t count, std::uint64_t remainder = 0, std::uint64_t of = 1);

 private:
  std::uint64_t drawn_ = 0;
};

}  // namespace latchkey::bench
