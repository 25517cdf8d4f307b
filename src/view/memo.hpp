#pragma once

// What a row remembers of a token that was found to be signed well, so that its next use costs a comparison.
//
// The digest is that of jwt/memo_hash.hpp, or SHA-256 where it came from view/memo_log.hpp and was not used since.
//
//   word 0   digest word 0, xor the seal's value
//   word 1   digest word 1, its low 8 bits replaced by the seal's slot (0: nothing remembered)
//
// A seal stands for one signing key as long as its signatures count. When the key is retired its slot gets another
// value, which unmakes every memo sealed with it, in O(1) and without touching the tokens of other signing keys.
//
// Memos are written by readers, several at once and without a lock; the words are atomic each by itself, not together.
// A lost memo costs one more signature. A torn one mixes two digests that were both proven: to pass by it, somebody
// would need a token with just that 120-bit digest, which is as hard as forging any other. Since the seal's value is
// part of word 0, no mixture passes a token under another signing key's seal either.

#include <array>
#include <atomic>
#include <cstdint>

#include "jwt/digest.hpp"

namespace latchkey::view {

struct KeyGeneration {
  std::uint8_t slot = 0;  // 0: what was proven is not to be remembered
  std::uint64_t value = 0;
};

/// The current value of each slot. One writer, any number of readers.
class KeyGenerations {
 public:
  static constexpr std::size_t slot_count = 256;

  KeyGenerations() {
    for (auto& value : values_) value.store(++last_, std::memory_order_relaxed);
  }
  std::uint64_t value(std::uint8_t slot) const { return values_[slot].load(std::memory_order_acquire); }

  /// The writer: unmakes what was sealed with the slot. Values are never used twice.
  KeyGeneration renew(std::uint8_t slot) {
    values_[slot].store(++last_, std::memory_order_release);
    return {slot, last_};
  }
  void renew_all() {
    for (std::size_t slot = 0; slot < slot_count; ++slot) renew(static_cast<std::uint8_t>(slot));
  }

 private:
  std::array<std::atomic<std::uint64_t>, slot_count> values_;
  std::uint64_t last_ = 0;
};

class Memo {
 public:
  Memo() = default;
  void remember(const jwt::TokenDigest& digest, KeyGeneration seal) const {
    if (seal.slot == 0) return;
    words_[0].store(digest.words[0] ^ seal.value, std::memory_order_relaxed);
    words_[1].store((digest.words[1] & ~slot_bits) | seal.slot, std::memory_order_relaxed);
  }
  bool recalls(const jwt::TokenDigest& digest, const KeyGenerations& seals) const {
    return recalled(digest, seals).slot != 0;
  }
  /// What recalls `from` recalls `to` instead, the digest of the same token by another function.
  void replace(const jwt::TokenDigest& from, const jwt::TokenDigest& to, const KeyGenerations& seals) const {
    remember(to, recalled(from, seals));
  }
  /// Into a row that is not yet published.
  void copy_from(const Memo& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i].store(other.words_[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
  }

 private:
  static constexpr std::uint64_t slot_bits = 0xff;

  // The seal that it was remembered with; slot 0: it is not remembered. Both words are compared before either is judged,
  // so that the time tells no part of them (jwt/memo_hash.hpp).
  KeyGeneration recalled(const jwt::TokenDigest& digest, const KeyGenerations& seals) const {
    const std::uint64_t second = words_[1].load(std::memory_order_relaxed);
    const auto slot = static_cast<std::uint8_t>(second & slot_bits);
    const std::uint64_t value = seals.value(slot);
    const std::uint64_t first = words_[0].load(std::memory_order_relaxed) ^ digest.words[0] ^ value;
    const std::uint64_t difference = first | ((second ^ digest.words[1]) & ~slot_bits);
    return difference == 0 ? KeyGeneration{slot, value} : KeyGeneration{};
  }

  mutable std::array<std::atomic<std::uint64_t>, 2> words_{};
};

}  // namespace latchkey::view
