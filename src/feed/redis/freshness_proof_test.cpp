#include "feed/redis/freshness_proof.hpp"

#include <gtest/gtest.h>

namespace latchkey::feed {
namespace {

BootTime at(std::int64_t second) { return {second * 1'000'000'000}; }

TEST(FreshnessProof, AReadBeforeTheTickWasRaisedIsProvedByItsHeartbeat) {
  FreshnessProof proofs;
  proofs.saw_tick("life", 1, 7, at(1));
  proofs.saw_tick("life", 1, 7, at(2));
  EXPECT_FALSE(proofs.current_as_of());
  proofs.saw_tick("life", 1, 8, at(3));
  proofs.holds_beat(8);
  EXPECT_EQ(proofs.current_as_of(), at(2)) << "the latest read that saw less than 8";
}

TEST(FreshnessProof, AHeartbeatOfATickThatWasSeenAlreadyProvesNothing) {
  FreshnessProof proofs;
  proofs.saw_tick("life", 1, 8, at(1));
  proofs.holds_beat(8);
  EXPECT_FALSE(proofs.current_as_of());
}

TEST(FreshnessProof, AnOldHeartbeatDoesNotTakeAProofBack) {
  FreshnessProof proofs;
  for (int i = 1; i <= 5; ++i) proofs.saw_tick("life", 1, static_cast<std::uint64_t>(i), at(i));
  proofs.holds_beat(5);
  proofs.holds_beat(2);
  EXPECT_EQ(proofs.current_as_of(), at(4));
}

TEST(FreshnessProof, TicksOfAnotherLifeOrAnEarlierCountAreNotCompared) {
  FreshnessProof proofs;
  proofs.saw_tick("one", 1, 3, at(1));
  proofs.saw_tick("two", 1, 9, at(2));
  proofs.holds_beat(9);
  EXPECT_FALSE(proofs.current_as_of());
  proofs.saw_tick("two", 1, 4, at(3));
  proofs.saw_tick("two", 1, 5, at(4));
  proofs.holds_beat(5);
  EXPECT_EQ(proofs.current_as_of(), at(3));
}

TEST(FreshnessProof, TicksOfAServerThatWasCutOffAreNotComparedWithItsSuccessors) {
  FreshnessProof proofs;
  proofs.saw_tick("life", 1, 3, at(10));  // at the old primary, where nobody ticks any more
  proofs.saw_tick("life", 2, 5, at(11));  // 5 was raised, and its heartbeat written, long before 10
  proofs.holds_beat(5);
  EXPECT_FALSE(proofs.current_as_of());
}

TEST(FreshnessProof, MemoryIsBounded) {
  FreshnessProof proofs;
  for (int i = 1; i <= 10'000; ++i) proofs.saw_tick("life", 1, static_cast<std::uint64_t>(i), at(i));
  proofs.holds_beat(1000);
  EXPECT_FALSE(proofs.current_as_of());
  proofs.holds_beat(10'000);
  EXPECT_EQ(proofs.current_as_of(), at(9999));
}

}  // namespace
}  // namespace latchkey::feed
