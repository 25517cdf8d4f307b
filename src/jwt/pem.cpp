#include "jwt/pem.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "jwt/openssl_ptr.hpp"

namespace latchkey::jwt {

PemBlock::~PemBlock() { OPENSSL_cleanse(der_.data(), der_.size()); }

std::optional<std::vector<PemBlock>> read_pem(std::string_view text) {
  ERR_clear_error();
  std::vector<PemBlock> blocks;
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* der = nullptr;
  long size = 0;
  while (bio && PEM_read_bio(bio.get(), &label, &header, &der, &size) == 1) {
    blocks.emplace_back(label, std::vector<std::uint8_t>(der, der + size));
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return std::nullopt;
  return blocks;
}

}  // namespace latchkey::jwt
