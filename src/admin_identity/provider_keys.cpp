#include "admin_identity/provider_keys.hpp"

#include <utility>

#include "base/log.hpp"

namespace latchkey::admin_identity {

ProviderKeys::ProviderKeys(Source source, jwt::AdminVerifier& verifier, const Clock& clock, RenewalTimes times)
    : source_(std::move(source)), verifier_(verifier), clock_(clock), renewal_(times) {
  thread_ = std::thread([this] { run(); });
}

ProviderKeys::~ProviderKeys() { stop(); }

void ProviderKeys::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  std::vector<std::function<void()>> waited;
  {
    const MutexLock lock(mutex_);
    waited.swap(waiting_);
    stopped_ = true;
  }
  for (const auto& then : waited) then();
}

bool ProviderKeys::usable() const {
  const MutexLock lock(mutex_);
  return renewal_.usable(clock_.boot());
}

bool ProviderKeys::when_renewed(std::function<void()> then) {
  const MutexLock lock(mutex_);
  if (waiting_.size() >= most_waiting || stopped_) return false;
  waiting_.push_back(std::move(then));
  changed_.notify_all();
  return true;
}

void ProviderKeys::ask() {
  const MutexLock lock(mutex_);
  asked_ = true;
  changed_.notify_all();
}

// False: it is to end.
bool ProviderKeys::await_due() {
  const MutexLock lock(mutex_);
  for (;;) {
    if (stopping_) return false;
    const Duration left = renewal_.due(asked_ || !waiting_.empty()) - clock_.boot();
    if (left <= Duration(0)) return true;
    static_cast<void>(changed_.wait_until(mutex_, std::chrono::steady_clock::now() + left));
  }
}

void ProviderKeys::run() {
  while (await_due()) {
    std::vector<std::function<void()>> waited;
    {
      const MutexLock lock(mutex_);
      waited.swap(waiting_);  // a later one asks for the fetch after this one
      asked_ = false;
      renewal_.begin(clock_.boot());
    }
    const bool good = fetch();
    {
      const MutexLock lock(mutex_);
      renewal_.end(good);
    }
    for (const auto& then : waited) then();
  }
}

// A fetch that fails leaves the keys of before in force, for as long as they may be believed.
bool ProviderKeys::fetch() {
  const auto text = source_.fetch();
  if (text && *text == seen_ && !seen_.empty()) return complaint_.clear(), true;
  auto keys = text ? source_.read(*text) : Result<jwt::AdminKeys>(text.error());
  if (!keys) {
    if (std::exchange(complaint_, keys.error().detail) != keys.error().detail) {
      log_error("admin keys: {}: {}; {}", source_.name, keys.error().detail,
                seen_.empty() ? "admin tokens are refused until it can be read" : "the keys of before stay in force");
    }
    return false;
  }
  complaint_.clear();
  seen_ = *text;
  log_info("admin keys: {}: {} keys fetched", source_.name, keys->keys().size());
  verifier_.replace_keys(std::move(*keys));
  return true;
}

}  // namespace latchkey::admin_identity
