#include "jwt/ed25519.hpp"

#include <openssl/pem.h>
#include <openssl/sha.h>

#include <algorithm>

#include "jwt/base64url.hpp"
#include "jwt/openssl_ptr.hpp"
#include "jwt/pem.hpp"

namespace latchkey::jwt {
namespace {

using PointView = std::span<const std::uint8_t, 32>;
using Point = std::array<std::uint8_t, 32>;

// The y coordinates of the eight points of small order (x = ±, hence five values), little-endian: orders 4, 1, 8, 8, 2.
// Under such a key a signature holds for messages it was never made for; OpenSSL lets them pass.
constexpr std::array<Point, 5> small_order_ys = {{
    {},
    {0x01},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
}};

// y >= p = 2^255 - 19, which RFC 8032 (5.1.3) refuses and OpenSSL reduces.
bool is_canonical(const Point& y) {
  const bool all_ones = y[31] == 0x7f && std::all_of(y.begin() + 1, y.end() - 1, [](auto b) { return b == 0xff; });
  return !all_ones || y[0] < 0xed;
}

bool is_acceptable_point(PointView encoded) {
  Point y{};
  std::copy(encoded.begin(), encoded.end(), y.begin());
  y[31] &= 0x7f;  // the sign of x
  return is_canonical(y) && std::find(small_order_ys.begin(), small_order_ys.end(), y) == small_order_ys.end();
}

Error not_a_key() {
  return Error(ErrorCode::invalid, "not an Ed25519 private key: expected one unencrypted PKCS#8 PEM block");
}

[[noreturn]] void broken(const char* what) { throw std::runtime_error(std::string("OpenSSL: ") + what + " failed"); }

}  // namespace

bool is_usable(const Ed25519PublicKey& key) { return is_acceptable_point(key); }

Ed25519PrivateKey::Ed25519PrivateKey(EVP_PKEY* key) : key_(key) {}
Ed25519PrivateKey::Ed25519PrivateKey(Ed25519PrivateKey&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}
Ed25519PrivateKey& Ed25519PrivateKey::operator=(Ed25519PrivateKey&& other) noexcept {
  std::swap(key_, other.key_);
  return *this;
}
Ed25519PrivateKey::~Ed25519PrivateKey() { EVP_PKEY_free(key_); }

Ed25519PrivateKey Ed25519PrivateKey::generate() {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  if (!key) broken("generating an Ed25519 key");
  return Ed25519PrivateKey(key);
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::from_pem(const Secret& pem) {
  const auto blocks = read_pem(pem.reveal());
  if (!blocks || blocks->size() != 1 || blocks->front().label() != "PRIVATE KEY") return not_a_key();
  const auto der = blocks->front().der();
  const unsigned char* at = der.data();
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (!info || at != der.data() + der.size()) return not_a_key();
  PkeyPtr key(EVP_PKCS82PKEY(info.get()));
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) return not_a_key();
  return Ed25519PrivateKey(key.release());
}

Secret Ed25519PrivateKey::to_pem() const {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    broken("writing a private key");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return Secret(std::string(text, static_cast<std::size_t>(size)));
}

Ed25519PublicKey Ed25519PrivateKey::public_key() const {
  Ed25519PublicKey key{};
  std::size_t size = key.size();
  if (EVP_PKEY_get_raw_public_key(key_, key.data(), &size) != 1 || size != key.size()) broken("reading a public key");
  return key;
}

Ed25519Signature Ed25519PrivateKey::sign(std::string_view message) const {
  const MdCtxPtr context(EVP_MD_CTX_new());
  Ed25519Signature signature{};
  std::size_t size = signature.size();
  const auto bytes = as_bytes(message);
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) != 1 ||
      size != signature.size()) {
    broken("signing");
  }
  return signature;
}

bool ed25519_verify(const Ed25519PublicKey& key, std::string_view message, std::span<const std::uint8_t> signature) {
  if (signature.size() != 64 || !is_acceptable_point(key) || !is_acceptable_point(signature.first<32>())) return false;
  const PkeyPtr pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const MdCtxPtr context(EVP_MD_CTX_new());
  const auto bytes = as_bytes(message);
  return pkey && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
}

std::string thumbprint(const Ed25519PublicKey& key) {
  // The required members in lexicographic order, no white space (RFC 7638, 3; RFC 8037, 2).
  const std::string jwk = R"({"crv":"Ed25519","kty":"OKP","x":")" + encode_base64url(key) + "\"}";
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(as_bytes(jwk).data(), jwk.size(), digest.data());
  return encode_base64url(digest);
}

}  // namespace latchkey::jwt
