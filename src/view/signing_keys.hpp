#pragma once

// The public signing keys: few, changed rarely, each change publishes a new immutable set.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "feed/rows_digest.hpp"
#include "key/signing_key.hpp"
#include "view/memo.hpp"
#include "view/reclamation.hpp"

namespace latchkey::view {

/// A usable signing key, and the generation that marks what it proves.
struct UsableKey {
  Ed25519PublicKey public_key{};
  KeyGeneration seal;
};

class SigningKeys {
 public:
  SigningKeys(KeyGenerations& seals, Reclamation& reclamation) : seals_(seals), reclamation_(reclamation) {}
  ~SigningKeys();
  SigningKeys(const SigningKeys&) = delete;
  SigningKeys& operator=(const SigningKeys&) = delete;

  /// nullptr when unknown or retired. Any thread, between Reclamation's enter() and leave().
  const UsableKey* find(std::string_view kid) const;

  /// All that find() finds. As find().
  std::vector<UsableKey> all() const;

  /// The writer. A version that is not newer changes nothing. Returns by how much the digest of all rows moves.
  feed::RowsDigest apply(const SigningKey& key, Version version);
  /// Of those held now.
  feed::RowsDigest digest() const;
  /// Retired ones too.
  template <class Visit>
  void visit(Visit&& visit) const {
    for (const auto& [kid, held] : held_) visit(held.key, held.version);
  }

 private:
  using Set = std::map<std::string, UsableKey, std::less<>>;
  struct Held {
    SigningKey key;
    Version version;
    KeyGeneration seal;  // slot 0 while the key is not usable
  };

  void unseal(Held& held);
  KeyGeneration new_seal();
  void publish();

  KeyGenerations& seals_;
  Reclamation& reclamation_;
  std::map<std::string, Held, std::less<>> held_;  // the writer's; retired ones too, so that no old row revives them
  std::array<bool, KeyGenerations::slot_count> slot_taken_{};
  std::atomic<const Set*> usable_{nullptr};
};

}  // namespace latchkey::view
