#include "jwt/public_keys.hpp"

#include <fmt/format.h>

namespace latchkey::jwt {

void add_key(PublicKeys& read, std::string name, Result<VerificationKey> key) {
  if (key && read.keys.size() == max_public_keys) {
    read.skipped.push_back({std::move(name), fmt::format("it stands behind {} that can be used", max_public_keys)});
  } else if (key) {
    read.keys.push_back(std::move(*key));
  } else {
    read.skipped.push_back({std::move(name), key.error().detail});
  }
}

Result<PublicKeys> unless_empty(PublicKeys read) {
  if (!read.keys.empty()) return read;
  constexpr std::size_t most_named = 3;
  std::string why = "it has no key that can be used";
  for (std::size_t i = 0; i < read.skipped.size() && i < most_named; ++i) {
    why += fmt::format("{} {}: {}", i == 0 ? ":" : ";", read.skipped[i].name, read.skipped[i].reason);
  }
  if (read.skipped.size() > most_named) why += fmt::format("; and {} more", read.skipped.size() - most_named);
  return Error(ErrorCode::invalid, why);
}

}  // namespace latchkey::jwt
