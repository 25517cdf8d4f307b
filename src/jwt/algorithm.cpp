#include "jwt/algorithm.hpp"

#include <algorithm>
#include <array>

#include "base/shown.hpp"

namespace latchkey::jwt {
namespace {

struct Row {
  std::string_view name;
  KeyKind kind;
  int hash_bits;
};

constexpr std::array<Row, 13> rows = {{{"EdDSA", KeyKind::ed25519, 512},
                                       {"ES256", KeyKind::p256, 256},
                                       {"ES384", KeyKind::p384, 384},
                                       {"ES512", KeyKind::p521, 512},
                                       {"RS256", KeyKind::rsa, 256},
                                       {"RS384", KeyKind::rsa, 384},
                                       {"RS512", KeyKind::rsa, 512},
                                       {"PS256", KeyKind::rsa, 256},
                                       {"PS384", KeyKind::rsa, 384},
                                       {"PS512", KeyKind::rsa, 512},
                                       {"HS256", KeyKind::secret, 256},
                                       {"HS384", KeyKind::secret, 384},
                                       {"HS512", KeyKind::secret, 512}}};

const Row& row_of(Algorithm algorithm) { return rows[static_cast<std::size_t>(algorithm)]; }

}  // namespace

std::string_view to_string(Algorithm algorithm) { return row_of(algorithm).name; }

std::optional<Algorithm> parse_algorithm(std::string_view name) {
  if (name == "Ed25519") return Algorithm::eddsa;
  const auto* const found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  if (found == rows.end()) return std::nullopt;
  return static_cast<Algorithm>(found - rows.begin());
}

KeyKind kind_of(Algorithm algorithm) { return row_of(algorithm).kind; }

int hash_bits(Algorithm algorithm) { return row_of(algorithm).hash_bits; }

namespace {

Result<Algorithm> parse_rsa_algorithm(std::string_view part) {
  const auto first = std::min(part.find_first_not_of(' '), part.size());
  const auto algorithm = parse_algorithm(part.substr(first, part.find_last_not_of(' ') - first + 1));
  if (algorithm && kind_of(*algorithm) == KeyKind::rsa) return *algorithm;
  return Error(ErrorCode::invalid,
               shown(part) +
                   " is none of RS256, RS384, RS512, PS256, PS384, PS512; keys that are not RSA have an "
                   "algorithm of their own, and HS256 to HS512 come with admin_secret_file");
}

}  // namespace

Result<AlgorithmSet> parse_rsa_algorithms(std::string_view list) {
  AlgorithmSet algorithms = default_rsa_algorithms;
  for (;;) {
    const auto comma = list.find(',');
    const auto algorithm = parse_rsa_algorithm(list.substr(0, comma));
    if (!algorithm) return algorithm.error();
    algorithms.add(*algorithm);
    if (comma == std::string_view::npos) return algorithms;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace latchkey::jwt
