#pragma once

// A relay's half of usage/redis/usage_stream.hpp: takes batches from Redis, puts them into the store, and says so.

#include <functional>
#include <string>

#include "base/wakeable_thread.hpp"
#include "redis/link.hpp"
#include "usage/usage_sink.hpp"

namespace latchkey::usage {

/// Either start() and stop(), or step() by one thread.
class UsageDrain {
 public:
  /// `follows`: whether this relay follows the stream; otherwise the batches may be another store's.
  UsageDrain(const redis::Address& address, UsageSink& store, const Clock& clock, std::function<bool()> follows,
             redis::Timeouts timeouts = {});
  ~UsageDrain();
  UsageDrain(const UsageDrain&) = delete;
  UsageDrain& operator=(const UsageDrain&) = delete;

  void start();
  void stop();

  /// Waits up to `patience` for batches, and carries on those that came. An error: Redis or the store is not available.
  Result<void> step(std::chrono::milliseconds patience);

 private:
  struct Entry;
  Result<std::vector<Entry>> read(std::chrono::milliseconds patience);
  Result<void> carry(const Entry& entry);
  Result<void> tell(const Entry& entry);
  void note(const Result<void>& done);

  redis::Link link_;
  UsageSink& store_;
  const std::function<bool()> follows_;
  bool fails_ = false;
  WakeableThread thread_;
};

}  // namespace latchkey::usage
