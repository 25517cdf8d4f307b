#pragma once

// What the rows of the store add up to at a position, for a reader that wants to know whether its own do.

#include <atomic>
#include <string>

#include "feed/change_feed.hpp"
#include "feed/rows_digest.hpp"
#include "key/change.hpp"

namespace latchkey::feed {

struct StoreDigest {
  LogEnd at;  // the log's end when the rows were as they were added up
  RowsDigest digest = 0;
  std::string warning;  // what of the store keeps changes from being recorded; empty: nothing that is known
};

/// One thread, except stop(). Every engine passes feed/digest_source_test.cpp.
class DigestSource {
 public:
  virtual ~DigestSource() = default;
  /// Reads every row, as of one moment: seconds for a million. On a connection of its own, which ends with the call.
  /// Always `unavailable` where it fails.
  virtual Result<StoreDigest, FeedError> read() = 0;
  /// Makes a read() soon end, and all that come. Any thread.
  void stop() { stopping_ = true; }

 protected:
  const std::atomic<bool>& stopping() const { return stopping_; }

 private:
  std::atomic<bool> stopping_{false};
};

/// Thrown out of a scan that is to end.
struct ScanStopped {};

/// Adds up the rows it is handed, each once, until it is to stop.
class DigestSink final : public SnapshotSink {
 public:
  explicit DigestSink(const std::atomic<bool>& stopping) : stopping_(stopping) {}
  void access_key(const AccessKey& key) override {
    if (stopping_.load(std::memory_order_relaxed)) throw ScanStopped();
    digest_ += digest_of(key, key.version);
  }
  void signing_key(const SigningKey& key, Version version) override { digest_ += digest_of(key, version); }
  void plan(const Plan& plan) override { digest_ += digest_of(plan, plan.version); }
  void user(const User& user) override { digest_ += digest_of(user, user.version); }
  RowsDigest digest() const { return digest_; }

 private:
  const std::atomic<bool>& stopping_;
  RowsDigest digest_ = 0;
};

}  // namespace latchkey::feed
