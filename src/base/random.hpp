#pragma once

#include <cstdint>
#include <random>
#include <span>

namespace latchkey {

/// A source of random bytes. Any thread may call SystemRandom; SeededRandom is for tests and one thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

/// Cryptographically secure (OpenSSL's RAND_bytes). Throws std::runtime_error if the system has no entropy.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override;
};

/// Repeatable; not secure.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> bytes) override {
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace latchkey
