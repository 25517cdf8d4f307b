#include "jwt/memo_hash.hpp"

#include <algorithm>
#include <cstring>

#include "base/random.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace latchkey::jwt {

#if defined(__x86_64__)
namespace {

#define LATCHKEY_CARRYLESS __attribute__((target("pclmul,sse4.1")))

// Eight blocks are multiplied by eight powers of the point and added up before the one reduction.
constexpr std::size_t most_powers = 8;

class alignas(16) Powers {
 public:
  LATCHKEY_CARRYLESS explicit Powers(const Block& point) {
    __m128i power = _mm_loadu_si128(reinterpret_cast<const __m128i*>(point.data()));
    const __m128i first = power;
    for (auto& each : powers_) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(each.data()), power);
      power = multiply(power, first);
    }
  }

  /// The sum so far and `count` more blocks, at most most_powers.
  LATCHKEY_CARRYLESS __m128i add(__m128i sum, const char* octets, std::size_t count) const {
    __m128i low = _mm_setzero_si128(), middle = low, high = low;
    for (std::size_t i = 0; i < count; ++i) {
      __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(octets + 16 * i));
      if (i == 0) block = _mm_xor_si128(block, sum);
      accumulate(block, at(count - i), low, middle, high);
    }
    return reduce(low, middle, high);
  }

 private:
  __m128i at(std::size_t power) const {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(powers_[power - 1].data()));
  }

  LATCHKEY_CARRYLESS static void accumulate(__m128i a, __m128i b, __m128i& low, __m128i& middle, __m128i& high) {
    low = _mm_xor_si128(low, _mm_clmulepi64_si128(a, b, 0x00));
    high = _mm_xor_si128(high, _mm_clmulepi64_si128(a, b, 0x11));
    middle = _mm_xor_si128(middle, _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10)));
  }

  // Times x^-128 modulo x^128 + x^127 + x^126 + x^121 + 1: the lower half is folded up in two steps of 64 bits.
  LATCHKEY_CARRYLESS static __m128i reduce(__m128i low, __m128i middle, __m128i high) {
    const __m128i fold = _mm_set_epi64x(static_cast<long long>(0xc200000000000000), 1);
    low = _mm_xor_si128(low, _mm_slli_si128(middle, 8));
    high = _mm_xor_si128(high, _mm_srli_si128(middle, 8));
    for (int step = 0; step < 2; ++step) {
      const __m128i folded = _mm_clmulepi64_si128(low, fold, 0x10);
      low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), folded);
    }
    return _mm_xor_si128(high, low);
  }

  LATCHKEY_CARRYLESS static __m128i multiply(__m128i a, __m128i b) {
    __m128i low = _mm_setzero_si128(), middle = low, high = low;
    accumulate(a, b, low, middle, high);
    return reduce(low, middle, high);
  }

  alignas(16) std::array<Block, most_powers> powers_;
};

LATCHKEY_CARRYLESS __m128i sum_of(const Powers& powers, const char* octets, std::size_t blocks) {
  __m128i sum = _mm_setzero_si128();
  while (blocks > 0) {
    const std::size_t n = std::min(blocks, most_powers);
    sum = powers.add(sum, octets, n);
    octets += 16 * n;
    blocks -= n;
  }
  return sum;
}

Block to_block(__m128i value) {
  Block block;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(block.data()), value);
  return block;
}

// The rest of the token, filled with zeros, and its length.
LATCHKEY_CARRYLESS TokenDigest hash_of(const Powers& powers, std::string_view token) {
  const std::size_t whole = token.size() / 16;
  __m128i sum = sum_of(powers, token.data(), whole);
  alignas(16) std::array<char, 32> end{};
  const std::size_t rest = token.size() % 16;
  std::memcpy(end.data(), token.data() + 16 * whole, rest);
  const std::uint64_t length = token.size();
  char* const last = end.data() + (rest == 0 ? 0 : 16);
  std::memcpy(last, &length, sizeof length);
  sum = powers.add(sum, end.data(), rest == 0 ? 1 : 2);
  return {to_block(sum)};
}

const Powers& secret_powers() {
  static const Powers powers = [] {
    std::array<std::uint8_t, sizeof(Block)> octets;
    SystemRandom().fill(octets);
    Block point{};
    std::memcpy(point.data(), octets.data(), sizeof point);
    return Powers(point);
  }();
  return powers;
}

}  // namespace

bool memo_hash_is_keyed() {
  static const bool can = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return can;
}

TokenDigest memo_hash_of(std::string_view token) {
  return memo_hash_is_keyed() ? hash_of(secret_powers(), token) : digest_of(token);
}

Block polyval(const Block& point, std::span<const Block> blocks) {
  const Powers powers(point);
  return to_block(sum_of(powers, reinterpret_cast<const char*>(blocks.data()), blocks.size()));
}

#else

bool memo_hash_is_keyed() { return false; }
TokenDigest memo_hash_of(std::string_view token) { return digest_of(token); }
Block polyval(const Block&, std::span<const Block>) { return {}; }

#endif

}  // namespace latchkey::jwt
