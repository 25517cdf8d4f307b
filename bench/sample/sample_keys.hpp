#pragma once

// Access keys by number, as alike as those of a real service: time-ordered random ids, user ids of 16 bytes.

#include <cstdint>
#include <string>
#include <string_view>

#include "key/access_key.hpp"

namespace latchkey::bench {

/// A permutation of the 64-bit numbers that looks random (splitmix64, Steele et al. 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111eb;
  return x ^ (x >> 31U);
}

KeyId sample_id(std::uint64_t number);
/// Of the largest limit, so that no benchmark meets it.
AccessKey sample_key(std::uint64_t number);

/// The key's token as we mint it, but with a signature that proves nothing: for what is remembered anyway.
std::string unsigned_token(std::uint64_t number, std::string_view kid);

}  // namespace latchkey::bench
