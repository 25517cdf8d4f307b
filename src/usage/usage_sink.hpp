#pragma once

#include "base/error.hpp"
#include "usage/usage_batch.hpp"

namespace latchkey::usage {

/// Where a replica's batches go. Every engine passes the suite in usage/testing/usage_suite.hpp. One thread.
class UsageSink {
 public:
  virtual ~UsageSink() = default;

  /// Hands over the next batch, or again one that was handed over before: it counts once. True: it is in the store for
  /// good, and the next one may follow. False: it is under way; hand it over again in a moment. An error leaves open
  /// whether it arrived: hand it over again. Waits for a bounded time only.
  virtual Result<bool> write(const PackedBatch& batch) = 0;
};

}  // namespace latchkey::usage
