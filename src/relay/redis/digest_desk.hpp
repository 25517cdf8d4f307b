#pragma once

// A relay's answers to readers of its stream, which cannot read the store: what its rows add up to, whenever somebody
// asks; and another life of the stream, with a snapshot of the rows as they are, where a reader found that what it
// loaded from this one is not what the store holds (a row that was changed past the triggers, or something amiss in
// Redis).
//
// feed/redis/layout.hpp has the keys. Each request is taken by one relay; one that dies with it leaves it to be asked
// again.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "feed/digest_source.hpp"
#include "redis/link.hpp"

namespace latchkey::relay {

/// Either start() and stop(), or step() by one thread.
class DigestDesk {
 public:
  /// Of which epoch the stream is that this relay follows; nullopt: it follows none, and answers nobody.
  using FollowedEpoch = std::function<std::optional<Epoch>()>;

  /// `source` and `clock` outlive it, and what `followed` asks.
  DigestDesk(const redis::Address& address, feed::DigestSource& source, const Clock& clock, FollowedEpoch followed,
             redis::Timeouts timeouts = {});
  ~DigestDesk();
  DigestDesk(const DigestDesk&) = delete;
  DigestDesk& operator=(const DigestDesk&) = delete;

  void start();
  void stop();
  /// Answers the readers that have asked, if any.
  Result<void> step();

 private:
  Result<void> answer();
  Result<void> end(const std::string& life);
  void note(const Result<void>& done);
  void run();

  redis::Link link_;
  feed::DigestSource& source_;
  const FollowedEpoch followed_;
  std::string trouble_;  // as said last
  std::string warning_;  // of the store, likewise
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace latchkey::relay
