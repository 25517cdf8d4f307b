#include "tokens_service/signature_queue.hpp"

#include <algorithm>
#include <utility>

#include "jwt/access_token.hpp"

namespace latchkey::tokens_service {

SignatureQueue::SignatureQueue(const access::AccessCheck& check, SignatureQueueConfig config)
    : check_(check), config_(config), workers_(config.threads, config.max_tokens, WorkerPool::Priority::background) {}

bool SignatureQueue::submit(std::string_view token, Done done) {
  // The key id as it is signed, not as the hint has it: a forger may put another one there.
  const auto parsed = jwt::parse_access_token(token);
  const KeyId key = parsed ? parsed->claims.key_id : KeyId();
  const std::lock_guard lock(mutex_);
  Jobs& jobs = by_key_[key];
  const auto same = std::find_if(jobs.begin(), jobs.end(), [&](const auto& job) { return job->token == token; });
  if (same != jobs.end()) {
    if ((*same)->waiting.size() >= config_.max_requests_per_token) return false;
    (*same)->waiting.push_back(std::move(done));
    return true;
  }
  const auto job = std::make_shared<Job>(Job{std::string(token), {}});
  if (jobs.size() >= config_.max_tokens_per_key || tokens_ >= config_.max_tokens ||
      !workers_.submit([this, key, job] { verify(key, job); })) {
    if (jobs.empty()) by_key_.erase(key);
    return false;
  }
  job->waiting.push_back(std::move(done));
  jobs.push_back(job);
  ++tokens_;
  return true;
}

std::size_t SignatureQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return tokens_;
}

void SignatureQueue::verify(KeyId key, const std::shared_ptr<Job>& job) {
  const access::Outcome outcome = check_.check_signature(job->token);
  for (auto& done : take(key, job)) done(outcome);
}

std::vector<SignatureQueue::Done> SignatureQueue::take(KeyId key, const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  const auto jobs = by_key_.find(key);
  std::erase(jobs->second, job);
  if (jobs->second.empty()) by_key_.erase(jobs);
  --tokens_;
  return std::move(job->waiting);
}

}  // namespace latchkey::tokens_service
