#include "http_client/pinned_key.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <array>

#include "data_dir/small_file.hpp"
#include "jwt/openssl_ptr.hpp"

namespace latchkey::http_client {
namespace {

using CertificatePtr = jwt::OpensslPtr<X509, &X509_free>;

std::string base64(const std::array<unsigned char, SHA256_DIGEST_LENGTH>& digest) {
  std::string text(4 * ((digest.size() + 2) / 3) + 1, '\0');  // with its NUL
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), digest.data(), digest.size());
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace

Result<std::string> pinned_key(const std::string& certificate_file) {
  const auto pem = data_dir::read_small_file(certificate_file, Links::follow);
  if (!pem) return pem.error();
  const jwt::BioPtr bio(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  const CertificatePtr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  unsigned char* key = nullptr;
  const int size = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &key) : 0;
  if (size <= 0) return Error(ErrorCode::invalid, fmt::format("{}: no certificate in PEM form", certificate_file));
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(key, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(key);
  return "sha256//" + base64(digest);
}

}  // namespace latchkey::http_client
