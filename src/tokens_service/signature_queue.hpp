#pragma once

// Signatures (100 µs each) are checked away from the I/O threads, in a bounded queue that no one key can fill:
//
//   - requests with the very same token wait for one verification together;
//   - tokens of one key id stand in a line of their own, and the lines take turns (fair queueing, Nagle, RFC 970): a
//     flood of forged tokens for one key id delays nobody else;
//   - when no more may wait, the last of the longest line makes room for a shorter one;
//   - tokens of unknown key ids never get here.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/access_check.hpp"
#include "base/mutex.hpp"
#include "base/worker_pool.hpp"

namespace latchkey::tokens_service {

struct SignatureQueueConfig {
  unsigned threads = 1;
  std::size_t max_tokens = 512;
  std::size_t max_requests_per_token = 4096;
};

/// Any thread may call.
class SignatureQueue {
 public:
  using Done = std::move_only_function<void(const access::Outcome&)>;

  SignatureQueue(const access::AccessCheck& check, SignatureQueueConfig config);

  /// Calls `done` once: on a worker thread, or, with Refusal::overloaded, on the thread that evicted it by its
  /// submit(). False: too much waits already, and `done` is not called. `key`: as
  /// AccessCheck::check() gave it.
  [[nodiscard]] bool submit(KeyId key, std::string_view token, Done done);
  /// Tokens that wait or are being checked.
  std::size_t waiting() const;

 private:
  struct Job {
    std::string token;
    std::vector<Done> waiting;
  };
  using Jobs = std::deque<std::shared_ptr<Job>>;
  struct Line {
    Jobs waiting;
    Jobs checking;
    Job* find(std::string_view token) const;
  };
  using Lines = std::unordered_map<KeyId, Line>;

  bool enter(KeyId key, std::string_view token, Done& done, std::vector<Done>& displaced) REQUIRES(mutex_);
  bool make_room(std::size_t in_line, std::vector<Done>& displaced) REQUIRES(mutex_);
  void verify_next();
  std::shared_ptr<Job> begin(KeyId& key);
  std::vector<Done> finish(KeyId key, const std::shared_ptr<Job>& job);

  const access::AccessCheck& check_;
  const SignatureQueueConfig config_;
  mutable Mutex mutex_;
  Lines lines_ GUARDED_BY(mutex_);              // of the keys with something that waits or is being checked
  std::deque<KeyId> turns_ GUARDED_BY(mutex_);  // of the keys with something that waits, once each
  std::size_t tokens_ GUARDED_BY(mutex_) = 0;
  WorkerPool workers_;  // last: its threads end before the rest goes
};

}  // namespace latchkey::tokens_service
