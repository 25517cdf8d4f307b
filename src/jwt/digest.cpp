#include "jwt/digest.hpp"

#include <cstring>
#include <stdexcept>

#include "jwt/openssl_ptr.hpp"

namespace latchkey::jwt {
namespace {

// Fetched once: looking the algorithm up by name costs as much as the hash.
const EVP_MD* sha256() {
  static const MdPtr md(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return md.get();
}

}  // namespace

TokenDigest digest_of(std::string_view token) {
  thread_local const MdCtxPtr context(EVP_MD_CTX_new());
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  if (!context || EVP_DigestInit_ex2(context.get(), sha256(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), token.data(), token.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL: SHA-256 failed");
  }
  TokenDigest digest;
  std::memcpy(digest.words.data(), hash.data(), sizeof digest.words);
  return digest;
}

}  // namespace latchkey::jwt
