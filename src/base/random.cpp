#include "base/random.hpp"

#include <openssl/rand.h>

#include <stdexcept>

namespace latchkey {

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error("no entropy available");
}

}  // namespace latchkey
