#include <gtest/gtest.h>

#include <set>
#include <unordered_set>

#include "key/access_key.hpp"
#include "key/key_id.hpp"
#include "key/position.hpp"
#include "key/signing_key.hpp"

namespace latchkey {
namespace {

constexpr std::string_view id_text = "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d";

TEST(KeyId, RoundTripsItsText) {
  const auto id = KeyId::parse(id_text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->to_string(), id_text);
  EXPECT_EQ(id->bytes()[0], 0x01);
  EXPECT_EQ(id->bytes()[15], 0x5d);
  EXPECT_EQ(KeyId(id->bytes()), *id);
}

TEST(KeyId, HasOneTextFormOnly) {
  for (const std::string_view text : {
           "",
           "-",
           "0198b2c4",
           "0198b2c47d3e7a619c550e1f2a3b4c5d",
           "0198B2C4-7D3E-7A61-9C55-0E1F2A3B4C5D",
           "{0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d}",
           "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5",
           "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d0",
           " 198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d",
           "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5 ",
           "0198b2c4_7d3e-7a61-9c55-0e1f2a3b4c5d",
           "0198b2c47-d3e-7a61-9c55-0e1f2a3b4c5d",
           "0198b2c4-7d3e-7a61-9c550-e1f2a3b4c5d",
           "g198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d",
           "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5G",
           "+198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d",
       }) {
    EXPECT_FALSE(KeyId::parse(text)) << text;
  }
  std::string with_nul(id_text);
  with_nul[0] = '\0';
  EXPECT_FALSE(KeyId::parse(with_nul));
}

TEST(KeyId, IsOfVersion7AndVariant10Only) {
  for (const char version : std::string_view("0123456789abcdef")) {
    std::string text(id_text);
    text[14] = version;
    EXPECT_EQ(KeyId::parse(text).has_value(), version == '7') << text;
  }
  for (const char variant : std::string_view("0123456789abcdef")) {
    std::string text(id_text);
    text[19] = variant;
    EXPECT_EQ(KeyId::parse(text).has_value(), variant == '8' || variant == '9' || variant == 'a' || variant == 'b')
        << text;
  }
}

TEST(KeyId, IsOrderedByTimeInBytesAndText) {
  SeededRandom random(1);
  constexpr std::array<std::int64_t, 6> times = {0, 1, 255, 256, 1'767'225'600'000, (std::int64_t{1} << 48) - 1};
  for (std::size_t i = 1; i < times.size(); ++i) {
    const auto earlier = KeyId::generate({times[i - 1]}, random);
    const auto later = KeyId::generate({times[i]}, random);
    EXPECT_LT(earlier, later);
    EXPECT_LT(earlier.to_string(), later.to_string());
  }
}

TEST(KeyId, CarriesTheMillisecondItWasMadeIn) {
  SeededRandom random(2);
  const auto id = KeyId::generate({0x0198b2c47d3e}, random);
  EXPECT_EQ(id.to_string().substr(0, 15), "0198b2c4-7d3e-7");
  EXPECT_EQ(KeyId::parse(id.to_string()), id);
}

TEST(KeyId, DiffersEachTimeInOneMillisecond) {
  SeededRandom random(3);
  std::set<KeyId> ids;
  std::unordered_set<KeyId> hashed;
  for (int i = 0; i < 10'000; ++i) {
    const auto id = KeyId::generate({1'767'225'600'000}, random);
    EXPECT_TRUE(KeyId::parse(id.to_string()));
    ids.insert(id);
    hashed.insert(id);
  }
  EXPECT_EQ(ids.size(), 10'000U);
  EXPECT_EQ(hashed.size(), 10'000U);
  SystemRandom system;
  EXPECT_NE(KeyId::generate({1}, system), KeyId::generate({1}, system));
}

TEST(KeyId, LowBitsAreTheRandomHalf) {
  const auto id = KeyId::parse(id_text);
  std::uint64_t expected = 0;
  std::memcpy(&expected, id->bytes().data() + 8, 8);
  EXPECT_EQ(id->low_bits(), expected);
}

TEST(Position, RoundTripsItsText) {
  for (const auto& position :
       {Position{{0}, 0}, Position{{0x00c0ffee00c0ffee}, 42}, Position{{UINT64_MAX}, INT64_MAX}}) {
    EXPECT_EQ(Position::parse(position.to_string()), position);
  }
  EXPECT_EQ((Position{{0x00c0ffee00c0ffee}, 42}).to_string(), "00c0ffee00c0ffee.42");
}

TEST(Position, HasOneTextFormOnly) {
  for (const std::string_view text : {"",
                                      ".",
                                      "42",
                                      "00c0ffee00c0ffee",
                                      "00c0ffee00c0ffee.",
                                      "00c0ffee00c0ffee.042",
                                      "00c0ffee00c0ffee.00",
                                      "00c0ffee00c0ffee.-1",
                                      "00c0ffee00c0ffee.+1",
                                      "00c0ffee00c0ffee. 1",
                                      "00c0ffee00c0ffee.1 ",
                                      "00c0ffee00c0ffee.1.2",
                                      "00c0ffee00c0ffee.0x1",
                                      "00C0FFEE00C0FFEE.1",
                                      "0c0ffee00c0ffee.1",
                                      "000c0ffee00c0ffee.1",
                                      "-0c0ffee00c0ffee.1",
                                      "00c0ffee00c0ffeg.1",
                                      "00c0ffee00c0ffee:1",
                                      "00c0ffee00c0ffee.9223372036854775808",
                                      "00c0ffee00c0ffee.18446744073709551615",
                                      "00c0ffee00c0ffee.18446744073709551616",
                                      "00c0ffee00c0ffee.99999999999999999999"}) {
    EXPECT_FALSE(Position::parse(text)) << text;
  }
  EXPECT_TRUE(Position::parse("00c0ffee00c0ffee.9223372036854775807"));
  EXPECT_TRUE(Position::parse("0000000000000000.0"));
}

TEST(Position, IsEqualOnlyWithinOneEpoch) {
  EXPECT_EQ((Position{{1}, 2}), (Position{{1}, 2}));
  EXPECT_NE((Position{{1}, 2}), (Position{{3}, 2}));
  EXPECT_NE((Position{{1}, 2}), (Position{{1}, 3}));
}

TEST(KeyStatus, NamesRoundTrip) {
  for (const auto status : {KeyStatus::active, KeyStatus::disabled, KeyStatus::expired, KeyStatus::deleted}) {
    EXPECT_EQ(parse_key_status(to_string(status)), status);
  }
  EXPECT_EQ(to_string(KeyStatus::active), "active");
  for (const char* text : {"", "Active", "active ", "revoked"}) EXPECT_FALSE(parse_key_status(text)) << text;
}

// deleted, then disabled, then expired, then active.
TEST(KeyStatus, FollowsItsPrecedence) {
  constexpr UnixMillis now{1'000};
  for (int bits = 0; bits < 8; ++bits) {
    AccessKey key;
    key.deleted = (bits & 4) != 0;
    key.disabled = (bits & 2) != 0;
    if ((bits & 1) != 0) key.expires_at = UnixMillis{999};
    const auto expected = key.deleted      ? KeyStatus::deleted
                          : key.disabled   ? KeyStatus::disabled
                          : key.expires_at ? KeyStatus::expired
                                           : KeyStatus::active;
    EXPECT_EQ(status_of(key, now), expected) << bits;
  }
}

TEST(KeyStatus, ExpiresAtItsMillisecondAndNotBefore) {
  AccessKey key;
  key.expires_at = UnixMillis{1'000};
  EXPECT_EQ(status_of(key, {999}), KeyStatus::active);
  EXPECT_EQ(status_of(key, {1'000}), KeyStatus::expired);
  EXPECT_EQ(status_of(key, {1'001}), KeyStatus::expired);
  key.expires_at.reset();
  EXPECT_EQ(status_of(key, {INT64_MAX}), KeyStatus::active);
}

// The one field error of a refusal: its pointer, or "" when nothing was refused.
std::string pointer_of(const Result<void>& result) {
  if (result) return {};
  EXPECT_EQ(result.error().code, ErrorCode::invalid);
  EXPECT_EQ(result.error().fields.size(), 1U);
  EXPECT_FALSE(result.error().fields.at(0).detail.empty());
  return result.error().fields.at(0).pointer;
}

TEST(Rules, UserId) {
  for (const std::string& good : {std::string("a"), std::string("alice@example.com"), std::string("!~"),
                                  std::string(128, 'x'), std::string("a b"), std::string("\xc3\xa9")}) {
    EXPECT_EQ(pointer_of(check_user_id(good)), "") << good;
  }
  for (const std::string& bad :
       {std::string(), std::string(129, 'x'), std::string("a\n"), std::string("a\r\nX: y"), std::string("\x7f"),
        std::string("\x1f"), std::string("\xc3"), std::string("\xc2\x85"), std::string("a\0", 2)}) {
    EXPECT_EQ(pointer_of(check_user_id(bad)), "/userId") << bad;
  }
}

TEST(Rules, RequestsPerMinute) {
  for (const std::int64_t good : {1, 2, 60, 999'999, 1'000'000})
    EXPECT_EQ(pointer_of(check_requests_per_minute(good)), "") << good;
  for (const std::int64_t bad :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'000'001}, INT64_MIN, INT64_MAX, std::int64_t{1} << 32}) {
    EXPECT_EQ(pointer_of(check_requests_per_minute(bad)), "/requestsPerMinute") << bad;
  }
}

TEST(Rules, Name) {
  for (const std::string& good : {std::string(), std::string("CI job 7"), std::string("\xc3\xa9t\xc3\xa9"),
                                  std::string("\xc2\xa0"), std::string(128, 'x')}) {
    EXPECT_EQ(pointer_of(check_name(good)), "") << good;
  }
  for (const std::string& bad :
       {std::string(129, 'x'), std::string("a\nb"), std::string("\t"), std::string("\x7f"), std::string("a\0", 2),
        std::string("\x1b[31m"), std::string("a\xc2\x80"), std::string("\xc2\x9b") + "31m", std::string("\xc2\x9f")}) {
    EXPECT_EQ(pointer_of(check_name(bad)), "/name") << bad;
  }
}

TEST(Rules, Metadata) {
  EXPECT_EQ(pointer_of(check_metadata("{}")), "");
  EXPECT_EQ(pointer_of(check_metadata(std::string(4096, ' '))), "");
  EXPECT_EQ(pointer_of(check_metadata(std::string(4097, ' '))), "/metadata");
}

TEST(Rules, ExpiresAt) {
  constexpr UnixMillis now{1'767'225'600'000};
  EXPECT_EQ(pointer_of(check_expires_at({now.count + 1}, now)), "");
  EXPECT_EQ(pointer_of(check_expires_at({253'402'300'799'999}, now)), "");
  for (const std::int64_t bad :
       {now.count, now.count - 1, std::int64_t{0}, std::int64_t{-1}, std::int64_t{253'402'300'800'000}, INT64_MAX}) {
    EXPECT_EQ(pointer_of(check_expires_at({bad}, now)), "/expiresAt") << bad;
  }
}

TEST(SigningKeyState, NamesRoundTrip) {
  for (const auto state : {SigningKeyState::signing, SigningKeyState::verifying, SigningKeyState::retired}) {
    EXPECT_EQ(parse_signing_key_state(to_string(state)), state);
  }
  for (const char* text : {"", "Signing", "retired "}) EXPECT_FALSE(parse_signing_key_state(text)) << text;
}

TEST(Role, IsUser) { EXPECT_EQ(to_string(Role::user), "user"); }

}  // namespace
}  // namespace latchkey
