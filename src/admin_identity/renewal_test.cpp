#include "admin_identity/renewal.hpp"

#include <gtest/gtest.h>

namespace latchkey::admin_identity {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr BootTime start{1'000'000'000'000};

TEST(Renewal, BeginsAtOnceAndThenKeepsItsPauses) {
  Renewal renewal{RenewalTimes{}};
  EXPECT_LE(renewal.due(false), start);
  EXPECT_FALSE(renewal.usable(start)) << "nothing was fetched yet";
  renewal.begin(start);
  renewal.end(true);
  EXPECT_EQ(renewal.due(false), start + minutes(10));
  EXPECT_EQ(renewal.due(true), start + seconds(5)) << "whatever kids come";
}

TEST(Renewal, ComesBeforeTheKeysAreBelievedNoMore) {
  for (const auto& [max_age, pause] : {std::pair(seconds(2), seconds(5)), std::pair(seconds(60), seconds(30)),
                                       std::pair(seconds(3600), seconds(600))}) {
    Renewal renewal{RenewalTimes{.max_age = max_age}};
    renewal.begin(start);
    renewal.end(true);
    EXPECT_EQ(renewal.due(false), start + pause);
  }
}

TEST(Renewal, TriesAgainSoonerAndThenLessOftenAfterFailures) {
  Renewal renewal{RenewalTimes{}};
  BootTime now = start;
  for (const int pause : {5, 10, 20, 40, 60, 60, 60, 60, 60, 60, 60, 60, 60}) {
    renewal.begin(now);
    renewal.end(false);
    EXPECT_EQ(renewal.due(false), now + seconds(pause));
    EXPECT_EQ(renewal.due(true), now + seconds(5)) << "an asker does not wait for the failures of before";
    now = renewal.due(false);
  }
  renewal.begin(now);
  renewal.end(true);
  EXPECT_EQ(renewal.due(false), now + minutes(10));
}

TEST(Renewal, BelievesKeysForADayAfterTheLastGoodFetchBegan) {
  Renewal renewal{RenewalTimes{}};
  renewal.begin(start);
  renewal.end(true);
  renewal.begin(start + hours(1));
  renewal.end(false);
  EXPECT_TRUE(renewal.usable(start + hours(24)));
  EXPECT_FALSE(renewal.usable(start + hours(24) + Duration(1)));
  renewal.begin(start + hours(30));
  EXPECT_FALSE(renewal.usable(start + hours(30))) << "it has only begun";
  renewal.end(true);
  EXPECT_TRUE(renewal.usable(start + hours(30)));
}

}  // namespace
}  // namespace latchkey::admin_identity
