#include "tokens_service/signature_queue.hpp"

#include <algorithm>
#include <utility>

namespace latchkey::tokens_service {

SignatureQueue::SignatureQueue(const access::AccessCheck& check, SignatureQueueConfig config)
    : check_(check), config_(config), workers_(config.threads, config.max_tokens, WorkerPool::Priority::background) {}

bool SignatureQueue::submit(KeyId key, std::string_view token, Done done) {
  std::vector<Done> displaced;
  bool taken = false;
  {
    const MutexLock lock(mutex_);
    taken = enter(key, token, done, displaced);
  }
  for (auto& one : displaced) one(access::Refused{access::Refusal::overloaded, std::nullopt});
  return taken;
}

bool SignatureQueue::enter(KeyId key, std::string_view token, Done& done, std::vector<Done>& displaced) {
  const auto found = lines_.find(key);
  if (Job* same = found == lines_.end() ? nullptr : found->second.find(token)) {
    if (same->waiting.size() >= config_.max_requests_per_token) return false;
    same->waiting.push_back(std::move(done));
    return true;
  }
  const std::size_t in_line = found == lines_.end() ? 0 : found->second.waiting.size();
  // Each token that waits has a task of the pool's, which checks the token that is next then.
  const bool room =
      tokens_ < config_.max_tokens ? workers_.submit([this] { verify_next(); }) : make_room(in_line, displaced);
  if (!room) return false;
  auto job = std::make_shared<Job>(Job{std::string(token), {}});
  job->waiting.push_back(std::move(done));
  Line& line = lines_[key];
  if (line.waiting.empty()) turns_.push_back(key);
  line.waiting.push_back(std::move(job));
  ++tokens_;
  return true;
}

// Only where more come than can be checked, and it looks at as many lines as there are tokens at most. `in_line`: how
// many tokens the line has for which room is made.
bool SignatureQueue::make_room(std::size_t in_line, std::vector<Done>& displaced) {
  const auto longest = std::max_element(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) {
    return a.second.waiting.size() < b.second.waiting.size();
  });
  if (longest == lines_.end() || longest->second.waiting.size() < in_line + 2) return false;
  displaced = std::move(longest->second.waiting.back()->waiting);
  longest->second.waiting.pop_back();
  --tokens_;
  return true;
}

SignatureQueue::Job* SignatureQueue::Line::find(std::string_view token) const {
  for (const auto* jobs : {&waiting, &checking}) {
    const auto same = std::find_if(jobs->begin(), jobs->end(), [&](const auto& job) { return job->token == token; });
    if (same != jobs->end()) return same->get();
  }
  return nullptr;
}

std::size_t SignatureQueue::waiting() const {
  const MutexLock lock(mutex_);
  return tokens_;
}

void SignatureQueue::verify_next() {
  KeyId key;
  const auto job = begin(key);
  const access::Outcome outcome = check_.check_signature(job->token);
  for (auto& done : finish(key, job)) done(outcome);
}

// Takes the first of the line that is next; the line goes to the end.
std::shared_ptr<SignatureQueue::Job> SignatureQueue::begin(KeyId& key) {
  const MutexLock lock(mutex_);
  key = turns_.front();
  turns_.pop_front();
  Line& line = lines_.at(key);
  line.checking.push_back(std::move(line.waiting.front()));
  line.waiting.pop_front();
  if (!line.waiting.empty()) turns_.push_back(key);
  return line.checking.back();
}

std::vector<SignatureQueue::Done> SignatureQueue::finish(KeyId key, const std::shared_ptr<Job>& job) {
  const MutexLock lock(mutex_);
  const auto line = lines_.find(key);
  std::erase(line->second.checking, job);
  if (line->second.waiting.empty() && line->second.checking.empty()) lines_.erase(line);
  --tokens_;
  return std::move(job->waiting);
}

}  // namespace latchkey::tokens_service
