#pragma once

// Signatures (100 µs each) are checked away from the I/O threads, in a bounded queue that no one key can fill:
//
//   - requests with the very same token wait for one verification together;
//   - of one key id, at most `max_tokens_per_key` different tokens wait; a flood of forged tokens for known key ids
//     therefore shares out the queue, and tokens of unknown key ids never get here.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/access_check.hpp"
#include "base/worker_pool.hpp"

namespace latchkey::tokens_service {

struct SignatureQueueConfig {
  unsigned threads = 1;
  std::size_t max_tokens = 512;
  std::size_t max_tokens_per_key = 4;
  std::size_t max_requests_per_token = 4096;
};

/// Any thread may call.
class SignatureQueue {
 public:
  using Done = std::move_only_function<void(const access::Outcome&)>;

  SignatureQueue(const access::AccessCheck& check, SignatureQueueConfig config);

  /// Calls `done` once on a worker thread. False: too much waits already, and `done` is not called.
  [[nodiscard]] bool submit(std::string_view token, Done done);
  /// Tokens that wait or are being checked.
  std::size_t waiting() const;

 private:
  struct Job {
    std::string token;
    std::vector<Done> waiting;
  };
  using Jobs = std::vector<std::shared_ptr<Job>>;

  void verify(KeyId key, const std::shared_ptr<Job>& job);
  std::vector<Done> take(KeyId key, const std::shared_ptr<Job>& job);

  const access::AccessCheck& check_;
  const SignatureQueueConfig config_;
  mutable std::mutex mutex_;
  std::unordered_map<KeyId, Jobs> by_key_;  // guarded by mutex_
  std::size_t tokens_ = 0;                  // guarded by mutex_
  WorkerPool workers_;                      // last: its threads end before the rest goes
};

}  // namespace latchkey::tokens_service
