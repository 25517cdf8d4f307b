#include "keys_service/published_keys.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace latchkey::keys_service {
namespace {

std::vector<SigningKey> keys_named(std::string kid) {
  SigningKey key;
  key.kid = std::move(kid);
  return {key};
}

bool names(const PublishedKeys& published, std::string_view kid) {
  const auto document = published.document();
  return document && document->find(kid) != std::string::npos;
}

TEST(PublishedKeys, ShowNothingUntilTheyAreRead) {
  PublishedKeys published;
  EXPECT_EQ(published.document(), std::nullopt);
  EXPECT_FALSE(published.shows({{7}, 0}));
  published.show({}, {{7}, 0});
  EXPECT_TRUE(published.shows({{7}, 0}));
  EXPECT_NE(published.document(), std::nullopt);
}

// A look reads the keys of position 4, a rotation commits 5 and shows its own, and the look ends last.
TEST(PublishedKeys, AreNotPutBackByALookThatARotationOvertook) {
  PublishedKeys published;
  published.show(keys_named("first"), {{7}, 4});
  published.show(keys_named("second"), {{7}, 5});
  published.show(keys_named("first"), {{7}, 4});
  EXPECT_TRUE(names(published, "second"));
  EXPECT_FALSE(names(published, "first"));
}

TEST(PublishedKeys, OfAnotherEpochTakeTheirPlaceWhateverItsNumbers) {
  PublishedKeys published;
  published.show(keys_named("first"), {{7}, 40});
  EXPECT_FALSE(published.shows({{8}, 2}));
  published.show(keys_named("restored"), {{8}, 2});
  EXPECT_TRUE(names(published, "restored"));
}

}  // namespace
}  // namespace latchkey::keys_service
