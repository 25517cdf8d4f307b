#include "feed/redis/proofs.hpp"

#include <gtest/gtest.h>

namespace latchkey::feed {
namespace {

BootTime at(std::int64_t second) { return {second * 1'000'000'000}; }

TEST(Proofs, AReadBeforeTheTickWasRaisedIsProvedByItsHeartbeat) {
  Proofs proofs;
  proofs.saw_tick("life", 7, at(1));
  proofs.saw_tick("life", 7, at(2));
  EXPECT_FALSE(proofs.current_as_of());
  proofs.saw_tick("life", 8, at(3));
  proofs.holds_beat(8);
  EXPECT_EQ(proofs.current_as_of(), at(2)) << "the latest read that saw less than 8";
}

TEST(Proofs, AHeartbeatOfATickThatWasSeenAlreadyProvesNothing) {
  Proofs proofs;
  proofs.saw_tick("life", 8, at(1));
  proofs.holds_beat(8);
  EXPECT_FALSE(proofs.current_as_of());
}

TEST(Proofs, AnOldHeartbeatDoesNotTakeAProofBack) {
  Proofs proofs;
  for (int i = 1; i <= 5; ++i) proofs.saw_tick("life", static_cast<std::uint64_t>(i), at(i));
  proofs.holds_beat(5);
  proofs.holds_beat(2);
  EXPECT_EQ(proofs.current_as_of(), at(4));
}

TEST(Proofs, TicksOfAnotherLifeOrAnEarlierCountAreNotCompared) {
  Proofs proofs;
  proofs.saw_tick("one", 3, at(1));
  proofs.saw_tick("two", 9, at(2));
  proofs.holds_beat(9);
  EXPECT_FALSE(proofs.current_as_of());
  proofs.saw_tick("two", 4, at(3));
  proofs.saw_tick("two", 5, at(4));
  proofs.holds_beat(5);
  EXPECT_EQ(proofs.current_as_of(), at(3));
}

TEST(Proofs, MemoryIsBounded) {
  Proofs proofs;
  for (int i = 1; i <= 10'000; ++i) proofs.saw_tick("life", static_cast<std::uint64_t>(i), at(i));
  proofs.holds_beat(1000);
  EXPECT_FALSE(proofs.current_as_of());
  proofs.holds_beat(10'000);
  EXPECT_EQ(proofs.current_as_of(), at(9999));
}

}  // namespace
}  // namespace latchkey::feed
