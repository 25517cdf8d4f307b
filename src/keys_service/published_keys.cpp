#include "keys_service/published_keys.hpp"

#include <utility>

#include "jwt/public_keys.hpp"

namespace latchkey::keys_service {

bool PublishedKeys::holds(Position at) const { return at_ && at_->epoch == at.epoch && at_->seq >= at.seq; }

void PublishedKeys::show(const std::vector<SigningKey>& keys, Position at) {
  std::string document = jwt::to_jwks(keys);
  const MutexLock lock(mutex_);
  if (at_ && holds(at) && *at_ != at) return;
  at_ = at;
  document_ = std::move(document);
}

bool PublishedKeys::shows(Position at) const {
  const MutexLock lock(mutex_);
  return holds(at);
}

std::optional<std::string> PublishedKeys::document() const {
  const MutexLock lock(mutex_);
  return at_ ? std::optional(document_) : std::nullopt;
}

}  // namespace latchkey::keys_service
