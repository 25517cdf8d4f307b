#include "jwt/pem.hpp"
#include "jwt/public_keys.hpp"

namespace latchkey::jwt {
namespace {

Result<VerificationKey> read_block(const PemBlock& block) {
  if (block.label() != "PUBLIC KEY") {
    return Error(ErrorCode::invalid, "expected PUBLIC KEY blocks, found " + std::string(block.label()));
  }
  const auto der = block.der();
  const unsigned char* at = der.data();
  PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != der.data() + der.size()) return Error(ErrorCode::invalid, "a PUBLIC KEY block cannot be read");
  return VerificationKey::from_pkey(std::move(key));
}

}  // namespace

Result<std::vector<VerificationKey>> read_public_key_pem(std::string_view text) {
  const auto blocks = read_pem(text);
  if (!blocks || blocks->empty()) return Error(ErrorCode::invalid, "no PUBLIC KEY block, or a broken one");
  std::vector<VerificationKey> keys;
  for (const auto& block : *blocks) {
    auto key = read_block(block);
    if (!key) return key.error();
    keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace latchkey::jwt
