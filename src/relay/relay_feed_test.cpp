// The contract of ChangeFeed, held by the Redis stream and the relay together.

#include "relay/testing/relay_world.hpp"

namespace latchkey::feed {
namespace {

INSTANTIATE_TEST_SUITE_P(Redis, ChangeFeedSuite,
                         testing::Values(FeedEngine{"redis", [] { return std::make_unique<relay::RelayWorld>(); }}));
// Every snapshot is renewed after a few changes, and the log trimmed behind it.
INSTANTIATE_TEST_SUITE_P(RedisTrimming, ChangeFeedSuite,
                         testing::Values(FeedEngine{
                             "redis_trimming", [] {
                               return std::make_unique<relay::RelayWorld>(relay::SnapshotConfig{
                                   .chunk_bytes = 4096, .seeded_changes = 100, .changes_between = 50});
                             }}));

}  // namespace
}  // namespace latchkey::feed
