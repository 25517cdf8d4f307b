#pragma once

#include "feed/digest_source.hpp"
#include "redis/link.hpp"

namespace latchkey::feed {

/// Of the store behind the stream: asks a relay, which alone can read it (feed/redis/layout.hpp).
class RedisDigest final : public DigestSource {
 public:
  /// Connects when first used. `clock` outlives it. `patience`: for a relay's answer, within which it reads every row.
  RedisDigest(const redis::Address& address, const Clock& clock,
              std::chrono::milliseconds patience = std::chrono::minutes(2))
      : link_(address, {}, clock), clock_(clock), patience_(patience) {}

  Result<StoreDigest, FeedError> read() override;

 private:
  struct Answer {
    std::uint64_t number = 0;  // counts answers; 0: there is none
    StoreDigest digest;
  };
  Result<Answer> look();
  Result<StoreDigest> ask();

  redis::Link link_;
  const Clock& clock_;
  const std::chrono::milliseconds patience_;
};

}  // namespace latchkey::feed
