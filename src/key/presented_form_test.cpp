#include "key/presented_form.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace latchkey {
namespace {

TEST(PresentedForm, AnyPrefixBeforeTheFirstBeginningIsTakenOff) {
  const std::string longest(max_key_prefix_bytes, 'p');
  const std::pair<std::string, std::string> cases[] = {
      {"eyJa.b.c", "eyJa.b.c"},
      {"acme_live_eyJa.b.c", "eyJa.b.c"},
      {"0eyJa", "eyJa"},
      {"_eyJ", "eyJ"},
      {longest + "eyJa", "eyJa"},
      {longest + "peyJa", longest + "peyJa"},  // too long
      {"acme-live-eyJa", "acme-live-eyJa"},
      {"ACMEeyJa", "ACMEeyJa"},
      {"a eyJa", "a eyJa"},
      {"eyeyJa", "eyJa"},
      {"aeyJbeyJc", "eyJbeyJc"},  // the first
      {"acme_live_", "acme_live_"},
      {"eyj", "eyj"},
      {"", ""},
  };
  for (const auto& [presented, token] : cases) EXPECT_EQ(without_prefix(presented), token) << presented;
}

TEST(PresentedForm, APrefixIsLowerCaseLettersDigitsAndUnderscores) {
  for (const char* good : {"a", "acme_live_", "0", "_"}) EXPECT_TRUE(is_key_prefix(good)) << good;
  for (const char* bad : {"", "A", "a-b", "a.b", "ä", "aaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_FALSE(is_key_prefix(bad)) << bad;
  }
}

TEST(PresentedForm, WhatBeginsLikeAKeyIsKnownInEitherForm) {
  EXPECT_TRUE(begins_like_access_key("eyJhbGciOiJFZERTQSIsImtpZCI6"));
  EXPECT_TRUE(begins_like_access_key("acme_live_eyJhbGciOiJFZERTQSIsImtpZCI6"));
  for (const char* other : {"eyJ", "acme_live_", "eyJ0eXAiOiJKV1Qi", "tokens", ""}) {
    EXPECT_FALSE(begins_like_access_key(other)) << other;
  }
}

}  // namespace
}  // namespace latchkey
