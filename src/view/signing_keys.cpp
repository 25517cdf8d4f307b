#include "view/signing_keys.hpp"

#include <memory>

namespace latchkey::view {

SigningKeys::~SigningKeys() { delete usable_.load(std::memory_order_relaxed); }

const UsableKey* SigningKeys::find(std::string_view kid) const {
  const Set* usable = usable_.load(std::memory_order_seq_cst);
  if (usable == nullptr) return nullptr;
  const auto found = usable->find(kid);
  return found == usable->end() ? nullptr : &found->second;
}

std::vector<UsableKey> SigningKeys::all() const {
  std::vector<UsableKey> keys;
  if (const Set* usable = usable_.load(std::memory_order_seq_cst)) {
    for (const auto& [kid, key] : *usable) keys.push_back(key);
  }
  return keys;
}

feed::RowsDigest SigningKeys::apply(const SigningKey& key, Version version) {
  Held& held = held_[key.kid];
  if (version <= held.version) return 0;
  const feed::RowsDigest before = held.version == Version{} ? 0 : feed::digest_of(held.key, held.version);
  const bool usable = key.state != SigningKeyState::retired;
  if (!usable || key.public_key != held.key.public_key) unseal(held);
  if (usable && held.seal.slot == 0) held.seal = new_seal();
  held.key = key;
  held.version = version;
  publish();
  return feed::digest_of(held.key, held.version) - before;
}

feed::RowsDigest SigningKeys::digest() const {
  feed::RowsDigest sum = 0;
  for (const auto& [kid, held] : held_) sum += feed::digest_of(held.key, held.version);
  return sum;
}

void SigningKeys::unseal(Held& held) {
  if (held.seal.slot == 0) return;
  seals_.renew(held.seal.slot);
  slot_taken_[held.seal.slot] = false;
  held.seal = {};
}

// With more than 255 usable keys the rest go without a seal: their tokens are verified each time.
KeyGeneration SigningKeys::new_seal() {
  for (std::size_t slot = 1; slot < slot_taken_.size(); ++slot) {
    if (slot_taken_[slot]) continue;
    slot_taken_[slot] = true;
    return seals_.renew(static_cast<std::uint8_t>(slot));
  }
  return {};
}

void SigningKeys::publish() {
  auto usable = std::make_unique<Set>();
  for (const auto& [kid, held] : held_) {
    if (held.key.state != SigningKeyState::retired) usable->emplace(kid, UsableKey{held.key.public_key, held.seal});
  }
  const Set* before = usable_.exchange(usable.release(), std::memory_order_seq_cst);
  if (before == nullptr) return;
  reclamation_.retire([](void* set, std::uint64_t) { delete static_cast<Set*>(set); }, const_cast<Set*>(before), 0);
}

}  // namespace latchkey::view
