#include <fmt/format.h>

#include "base/shown.hpp"
#include "jwt/pem.hpp"
#include "jwt/public_keys.hpp"

namespace latchkey::jwt {
namespace {

Result<VerificationKey> read_block(const PemBlock& block, AlgorithmSet rsa) {
  if (block.label() != "PUBLIC KEY") {
    const bool is_private = block.label().ends_with("PRIVATE KEY");
    return Error(ErrorCode::invalid, is_private ? "it is a private key, which only the signer of tokens may have"
                                                : "it is no PUBLIC KEY block");
  }
  const auto der = block.der();
  const unsigned char* at = der.data();
  PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != der.data() + der.size()) return Error(ErrorCode::invalid, "it cannot be read");
  return VerificationKey::from_pkey(std::move(key), rsa);
}

}  // namespace

Result<PublicKeys> read_public_key_pem(std::string_view text, AlgorithmSet rsa) {
  const auto blocks = read_pem(text);
  if (!blocks || blocks->empty()) return Error(ErrorCode::invalid, "no PUBLIC KEY block, or a broken one");
  PublicKeys read;
  for (const auto& block : *blocks) {
    const std::size_t number = read.keys.size() + read.skipped.size() + 1;
    add_key(read, fmt::format("block {} ({})", number, shown(block.label())), read_block(block, rsa));
  }
  return unless_empty(std::move(read));
}

}  // namespace latchkey::jwt
