#pragma once

// PEM (RFC 7468), block by block. OpenSSL's convenience readers are not used: they ask for a passphrase on the
// terminal.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey::jwt {

/// One "-----BEGIN label-----" block: its label and DER. The DER is wiped when the block goes.
class PemBlock {
 public:
  PemBlock(std::string label, std::vector<std::uint8_t> der) : label_(std::move(label)), der_(std::move(der)) {}
  PemBlock(PemBlock&&) = default;
  ~PemBlock();
  std::string_view label() const { return label_; }
  std::span<const std::uint8_t> der() const { return der_; }

 private:
  std::string label_;
  std::vector<std::uint8_t> der_;
};

/// The blocks of `text` in order; text around them is skipped, as RFC 7468 allows. nullopt if a block is broken.
std::optional<std::vector<PemBlock>> read_pem(std::string_view text);

}  // namespace latchkey::jwt
