#pragma once

// The signature algorithms of admin tokens, by their names in JOSE (RFC 7518, 3.1; RFC 8037; RFC 9864).

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace latchkey::jwt {

enum class Algorithm : std::uint8_t {
  eddsa,
  es256,
  es384,
  es512,
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  hs256,
  hs384,
  hs512
};

/// "EdDSA", "ES256", …
std::string_view to_string(Algorithm algorithm);
/// With case, as RFC 7515 (4.1.1) has it. "EdDSA" and "Ed25519" (RFC 9864) are one, since our OKP keys are Ed25519
/// only.
std::optional<Algorithm> parse_algorithm(std::string_view name);

/// What kind of key an algorithm is for. Of an EC key the curve says which algorithm it is.
enum class KeyKind : std::uint8_t { ed25519, p256, p384, p521, rsa, secret };
KeyKind kind_of(Algorithm algorithm);

/// The size of the algorithm's hash in bits: 256, 384, 512; 512 for Ed25519.
int hash_bits(Algorithm algorithm);

class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  constexpr AlgorithmSet(std::initializer_list<Algorithm> all) {
    for (const auto algorithm : all) add(algorithm);
  }
  constexpr void add(Algorithm algorithm) { bits_ |= bit(algorithm); }
  constexpr bool has(Algorithm algorithm) const { return (bits_ & bit(algorithm)) != 0; }
  bool operator==(const AlgorithmSet&) const = default;

 private:
  static constexpr std::uint32_t bit(Algorithm algorithm) { return 1U << static_cast<unsigned>(algorithm); }
  std::uint32_t bits_ = 0;
};

/// What an RSA key without an `alg` of its own is for, unless the operator names more.
constexpr AlgorithmSet default_rsa_algorithms{Algorithm::rs256};
/// RS256 and those of "PS256,RS512". An error names the part that is no algorithm of an RSA key.
Result<AlgorithmSet> parse_rsa_algorithms(std::string_view list);

}  // namespace latchkey::jwt
