#pragma once

// The signing keys that /.well-known/jwks.json shows, in memory: a verifier of access keys is answered at once, also
// while the database is silent. What this service commits is shown with its answer, what others commit within
// StoreHealth's next look.

#include <optional>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "key/position.hpp"
#include "key/signing_key.hpp"

namespace latchkey::keys_service {

/// Any thread.
class PublishedKeys {
 public:
  /// `keys` as they were at `at` or later. An older state of the same epoch than the one that is shown changes nothing:
  /// a look may overtake a rotation.
  void show(const std::vector<SigningKey>& keys, Position at);

  /// Whether what is shown is of `at`, or of later in its epoch.
  bool shows(Position at) const;

  /// The JWKS document (RFC 7517); nullopt: the keys could not be read yet.
  std::optional<std::string> document() const;

 private:
  bool holds(Position at) const REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::optional<Position> at_ GUARDED_BY(mutex_);
  std::string document_ GUARDED_BY(mutex_);
};

}  // namespace latchkey::keys_service
