#include "jwt/ed25519.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "jwt/openssl_ptr.hpp"
#include "jwt/testing/hand_made_token.hpp"

namespace latchkey::jwt {
namespace {

using Point = std::array<std::uint8_t, 32>;

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

Point point_of_hex(std::string_view hex) {
  Point point{};
  const std::string bytes = bytes_of_hex(hex);
  std::copy(bytes.begin(), bytes.end(), point.begin());
  return point;
}

// What OpenSSL alone says, to show that our own checks are needed.
bool openssl_accepts(const Point& key, std::string_view message, const Ed25519Signature& signature) {
  const PkeyPtr pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const MdCtxPtr context(EVP_MD_CTX_new());
  EXPECT_EQ(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()), 1);
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), as_bytes(message).data(),
                          message.size()) == 1;
}

TEST(Ed25519, SignsAsInRfc8037AppendixA4) {
  const std::string input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  const auto signature = rfc8037_key().sign(input);
  EXPECT_EQ(encode_base64url(signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_TRUE(ed25519_verify(rfc8037_key().public_key(), input, signature));  // A.5
  EXPECT_EQ(encode_base64url(rfc8037_key().public_key()), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
}

TEST(Ed25519, ThumbprintIsThatOfRfc8037AppendixA3) { EXPECT_EQ(thumbprint(rfc8037_key().public_key()), rfc8037_kid); }

TEST(Ed25519, KeepsAKeyThroughPem) {
  const auto key = Ed25519PrivateKey::generate();
  const auto again = Ed25519PrivateKey::from_pem(key.to_pem());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key(), key.public_key());
  EXPECT_EQ(again->sign("x"), key.sign("x"));
  EXPECT_NE(Ed25519PrivateKey::generate().public_key(), key.public_key());
}

TEST(Ed25519, MovesAKey) {
  auto key = Ed25519PrivateKey::generate();
  const auto public_key = key.public_key();
  auto other = Ed25519PrivateKey::generate();
  other = std::move(key);
  const Ed25519PrivateKey last(std::move(other));
  EXPECT_EQ(last.public_key(), public_key);
}

TEST(Ed25519, FromPemRefusesWhatIsNoEd25519Pkcs8) {
  const auto good = std::string(rfc8037_key().to_pem().reveal());
  const PkeyPtr ec(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), ec.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
  const BioPtr encrypted_bio(BIO_new(BIO_s_mem()));
  std::string passphrase = "pass";
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(encrypted_bio.get(), ec.get(), EVP_aes_128_cbc(), passphrase.data(), 4,
                                          nullptr, nullptr),
            1);
  const auto text_of = [](BIO* from) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(from, &text);
    return std::string(text, static_cast<std::size_t>(size));
  };
  std::string public_label = good;
  for (auto at = public_label.find("PRIVATE"); at != std::string::npos; at = public_label.find("PRIVATE")) {
    public_label.replace(at, 7, "PUBLIC");
  }
  for (const auto& pem : {std::string(), std::string("nonsense"), good.substr(0, good.size() / 2), good + good,
                          public_label, text_of(bio.get()), text_of(encrypted_bio.get())}) {
    EXPECT_FALSE(Ed25519PrivateKey::from_pem(Secret(pem))) << pem;
  }
  EXPECT_TRUE(Ed25519PrivateKey::from_pem(Secret("a comment\n" + good)));
}

TEST(Ed25519, RefusesEverySingleBitFlip) {
  const auto key = rfc8037_key();
  const auto signature = key.sign("message");
  for (std::size_t bit = 0; bit < 512; ++bit) {
    auto flipped = signature;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << bit % 8));
    EXPECT_FALSE(ed25519_verify(key.public_key(), "message", flipped)) << bit;
  }
  EXPECT_TRUE(ed25519_verify(key.public_key(), "message", signature));
  EXPECT_FALSE(ed25519_verify(key.public_key(), "messagf", signature));
  EXPECT_FALSE(ed25519_verify(Ed25519PrivateKey::generate().public_key(), "message", signature));
}

TEST(Ed25519, RefusesSignaturesOfAnotherLengthAndAllZero) {
  const auto key = rfc8037_key();
  const auto signature = key.sign("message");
  std::vector<std::uint8_t> bytes(signature.begin(), signature.end());
  EXPECT_FALSE(ed25519_verify(key.public_key(), "message", {}));
  EXPECT_FALSE(ed25519_verify(key.public_key(), "message", std::span(bytes).first(63)));
  bytes.push_back(0);
  EXPECT_FALSE(ed25519_verify(key.public_key(), "message", bytes));
  EXPECT_FALSE(ed25519_verify(key.public_key(), "message", Ed25519Signature{}));
}

// S + L has the same effect as S in the group; RFC 8032 (5.1.7) wants S < L.
TEST(Ed25519, RefusesNonCanonicalS) {
  const auto key = rfc8037_key();
  auto signature = key.sign("message");
  const auto order = point_of_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += signature[32 + i] + order[i];
    signature[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8U;
  }
  ASSERT_EQ(carry, 0U);
  EXPECT_FALSE(ed25519_verify(key.public_key(), "message", signature));
}

// The encodings of the eight torsion points, with either sign bit, and the values y >= p.
std::vector<Point> unusable_points() {
  std::vector<Point> points;
  for (const char* hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"}) {
    points.push_back(point_of_hex(hex));
  }
  for (unsigned low = 0xec; low <= 0xff; ++low) {
    auto point = point_of_hex("00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    point[0] = static_cast<std::uint8_t>(low);
    points.push_back(point);
  }
  for (std::size_t i = points.size(); i-- > 0;) {
    points.push_back(points[i]);
    points.back()[31] |= 0x80;
  }
  return points;
}

TEST(Ed25519, RefusesKeysOfSmallOrderAndKeysInNoCanonicalForm) {
  for (const auto& point : unusable_points()) EXPECT_FALSE(is_usable(point)) << encode_base64url(point);
  EXPECT_TRUE(is_usable(rfc8037_key().public_key()));
  // p - 2 and 2: canonical, not of small order.
  EXPECT_TRUE(is_usable(point_of_hex("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")));
  EXPECT_TRUE(is_usable(point_of_hex("0200000000000000000000000000000000000000000000000000000000000000")));
}

// RFC 8037's private scalar and the order of the group, both modulo that order, big-endian.
constexpr std::string_view scalar_hex = "0fe94d9006f020a5a3c080d96827fffce8852346655006e96ae99be612ac2c7c";
constexpr std::string_view order_hex = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";

BignumPtr bignum_of_hex(std::string_view hex) {
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, std::string(hex).c_str());
  return BignumPtr(number);
}

Ed25519Signature signature_of(const Point& r, const BIGNUM* s) {
  Ed25519Signature signature{};
  std::copy(r.begin(), r.end(), signature.begin());
  EXPECT_EQ(BN_bn2lebinpad(s, signature.data() + 32, 32), 32);
  return signature;
}

// Any R = sB passes under a key of small order for each message with a hash that is a multiple of that order: one in
// eight at worst.
TEST(Ed25519, RefusesForgeriesUnderSmallOrderKeysThatOpensslAccepts) {
  const auto forged = signature_of(rfc8037_key().public_key(), bignum_of_hex(scalar_hex).get());
  int accepted_by_openssl = 0;
  for (const auto& point : unusable_points()) {
    for (int i = 0; i < 64; ++i) {
      const std::string message = "message " + std::to_string(i);
      accepted_by_openssl += openssl_accepts(point, message, forged) ? 1 : 0;
      EXPECT_FALSE(ed25519_verify(point, message, forged));
    }
  }
  EXPECT_GT(accepted_by_openssl, 100);  // else this test shows nothing
}

// The holder of a good key can make R the neutral element: S = H(R, A, message) * a. No honest signer does.
TEST(Ed25519, RefusesAnRofSmallOrderThatOpensslAccepts) {
  const auto key = rfc8037_key().public_key();
  const Point neutral = {1};
  std::string hashed(neutral.begin(), neutral.end());
  hashed.append(key.begin(), key.end()).append("message");
  std::array<std::uint8_t, 64> hash{};
  SHA512(as_bytes(hashed).data(), hashed.size(), hash.data());
  const BignumPtr s(BN_lebin2bn(hash.data(), 64, nullptr));
  const OpensslPtr<BN_CTX, &BN_CTX_free> context(BN_CTX_new());
  ASSERT_EQ(
      BN_mod_mul(s.get(), s.get(), bignum_of_hex(scalar_hex).get(), bignum_of_hex(order_hex).get(), context.get()), 1);
  const auto signature = signature_of(neutral, s.get());
  EXPECT_TRUE(openssl_accepts(key, "message", signature));
  EXPECT_FALSE(ed25519_verify(key, "message", signature));
}

}  // namespace
}  // namespace latchkey::jwt
