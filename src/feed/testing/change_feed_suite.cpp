#include "feed/testing/change_feed_suite.hpp"

#include <thread>

namespace latchkey::feed {

using namespace std::chrono_literals;

void Replica::access_key(const AccessKey& key) {
  AccessKey& row = keys[key.id];
  if (key.version > row.version) row = key;
  on_row();
}

void Replica::signing_key(const SigningKey& key, Version version) {
  auto& row = signing_keys[key.kid];
  if (version > row.second) row = {key, version};
}

void Replica::plan(const Plan& plan) {
  Plan& row = plans[plan.name];
  if (plan.version > row.version) row = plan;
}

void Replica::user(const User& user) {
  User& row = users[user.user_id];
  if (user.version > row.version) row = user;
}

void Replica::apply(const Change& change) {
  if (const auto* key = std::get_if<AccessKey>(&change.row)) access_key(*key);
  if (const auto* key = std::get_if<SigningKey>(&change.row)) signing_key(*key, Version::made_by(change.seq));
  if (const auto* row = std::get_if<Plan>(&change.row)) plan(*row);
  if (const auto* row = std::get_if<User>(&change.row)) user(*row);
}

AccessKey ChangeFeedSuite::new_key() {
  AccessKey key;
  key.id = KeyId::generate(clock_.wall(), random_);
  key.user_id = "alice";
  key.created_at = key.updated_at = clock_.wall();
  key.issued_at = {key.created_at.seconds()};
  key.updated_by = "ops";
  return key;
}

AccessKey ChangeFeedSuite::put(AccessKey key, const std::string& action) {
  const auto done = store().transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
    const auto version = transaction.put_key(key, action);
    if (!version) return version.error();
    key.version = *version;
    return {};
  });
  EXPECT_TRUE(done);
  return key;
}

void ChangeFeedSuite::put_many(int count) {
  EXPECT_TRUE(store().transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(transaction.put_key(new_key(), "create"));
    return {};
  }));
}

Position ChangeFeedSuite::load() {
  replica_ = {};
  const auto loaded = feed().load(replica_);
  EXPECT_TRUE(loaded) << loaded.error().why;
  position_ = loaded ? *loaded : Position();
  return position_;
}

void ChangeFeedSuite::catch_up() {
  for (bool more = true; more;) {
    const auto batch = feed().next(position_, 0ms);
    ASSERT_TRUE(batch) << batch.error().why;
    for (const auto& change : batch->changes) {
      ASSERT_EQ(change.seq, ++position_.seq);
      replica_.apply(change);
    }
    ASSERT_EQ(batch->head, position_);
    nonce_ = batch->head_nonce;
    more = batch->more;
  }
}

void ChangeFeedSuite::expect_same_as_store() {
  for (const auto& [id, row] : replica_.keys) EXPECT_EQ(*store().find_key(id), row);
  const auto listed = store().list_keys({{}, 500, {}, clock_.wall()});
  EXPECT_EQ(listed->keys.size(), std::min<std::size_t>(replica_.keys.size(), 500));
}

void ChangeFeedSuite::expect_reload(Position after) {
  const auto batch = feed().next(after, 5000ms);
  ASSERT_FALSE(batch) << "an accident passed unnoticed";
  EXPECT_EQ(batch.error().kind, FeedError::Kind::reload) << batch.error().why;
  load();
  catch_up();
  expect_same_as_store();
}

namespace {

TEST_P(ChangeFeedSuite, LoadsEveryRowAndContinuesFromThere) {
  put_many(2500);
  load();
  EXPECT_EQ(replica_.keys.size(), 2500U);
  EXPECT_EQ(position_, *store().position());
  const AccessKey next = put(new_key());
  catch_up();
  EXPECT_EQ(replica_.keys.at(next.id), next);
  EXPECT_EQ(position_, *store().position());
}

TEST_P(ChangeFeedSuite, AnEmptyStoreLoadsAtSeqZero) {
  EXPECT_EQ(load().seq, Seq{0});
  EXPECT_EQ(position_.epoch, store().position()->epoch);
  put(new_key());
  catch_up();
  EXPECT_EQ(position_.seq, Seq{1});
}

TEST_P(ChangeFeedSuite, BatchesAreDenseAndSayWhenMoreWaits) {
  load();
  put_many(2500);
  const auto first = feed().next(position_, 0ms);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->more);
  catch_up();
  EXPECT_EQ(position_.seq, Seq{2500});
  EXPECT_EQ(replica_.keys.size(), 2500U);
}

TEST_P(ChangeFeedSuite, ABatchMayBeAskedForAgain) {
  load();
  put_many(3);
  const auto once = feed().next(position_, 0ms);
  const auto again = feed().next(position_, 0ms);
  ASSERT_TRUE(once && again);
  EXPECT_EQ(once->changes, again->changes);
}

TEST_P(ChangeFeedSuite, AnEmptyBatchProvesHowCurrentItIs) {
  put(new_key());
  load();
  const BootTime before = clock_.boot();
  const auto batch = feed().next(position_, 10ms);
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->changes.empty());
  EXPECT_FALSE(batch->more);
  EXPECT_EQ(batch->head, position_);
  EXPECT_GE(batch->current_as_of, before);
  EXPECT_LE(batch->current_as_of, clock_.boot());
}

TEST_P(ChangeFeedSuite, AWaitingReaderHearsACommit) {
  load();
  std::thread writer([&] {
    std::this_thread::sleep_for(50ms);
    put(new_key());
  });
  const auto batch = feed().next(position_, 60s);
  writer.join();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->changes.size(), 1U);
}

TEST_P(ChangeFeedSuite, WakeEndsAWait) {
  load();
  std::thread waker([&] {
    std::this_thread::sleep_for(50ms);
    feed().wake();
  });
  const auto batch = feed().next(position_, std::chrono::hours(1));
  waker.join();
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->changes.empty());
}

TEST_P(ChangeFeedSuite, SigningKeysTravelToo) {
  SigningKey key;
  key.kid = std::string(43, 'A');
  const auto put_it = [&](store::Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.put_signing_key(key, "ops"));
    return {};
  };
  ASSERT_TRUE(store().transact_and_wait(put_it));
  load();
  EXPECT_EQ(replica_.signing_keys.at(key.kid), std::pair(key, Version{1}));
  key.state = SigningKeyState::retired;
  ASSERT_TRUE(store().transact_and_wait(put_it));
  catch_up();
  EXPECT_EQ(replica_.signing_keys.at(key.kid), std::pair(key, Version{2}));
}

TEST_P(ChangeFeedSuite, ADeleteDuringTheSnapshotIsNotResurrected) {
  AccessKey key = put(new_key());
  put_many(1500);
  bool deleted = false;
  replica_.on_row = [&] {
    if (std::exchange(deleted, true)) return;
    key.deleted = true;
    put(key, "delete");
  };
  const auto loaded = feed().load(replica_);
  ASSERT_TRUE(loaded);
  position_ = *loaded;
  catch_up();
  EXPECT_TRUE(replica_.keys.at(key.id).deleted);
  expect_same_as_store();
}

TEST_P(ChangeFeedSuite, AnotherEpochOrAReplacedStoreIsAReload) {
  put_many(3);
  load();
  world_->replace();
  put_many(10);
  expect_reload(position_);
}

TEST_P(ChangeFeedSuite, APositionOfAnotherEpochIsAReload) {
  load();
  expect_reload({{position_.epoch.value + 1}, 0});
}

TEST_P(ChangeFeedSuite, APositionBeyondTheEndIsAReload) {
  put(new_key());
  load();
  expect_reload({position_.epoch, position_.seq + 1});
}

TEST_P(ChangeFeedSuite, ARestoredOlderBackupIsAReload) {
  put_many(3);
  const auto restore = world_->backup();
  put_many(3);
  load();
  restore();
  expect_reload(position_);
}

TEST_P(ChangeFeedSuite, ARestoredBackupThatGrewPastOurPositionIsAReload) {
  put_many(3);
  const auto restore = world_->backup();
  put_many(3);
  load();
  restore();
  put_many(5);
  expect_reload(position_);
}

TEST_P(ChangeFeedSuite, AForkBehindTheSnapshotsRowsIsAReload) {
  put_many(3);
  const auto restore = world_->backup();
  std::function<void()> grow = [&] { put(new_key()); };
  replica_.on_row = [&] { std::exchange(grow, [] {})(); };
  put_many(1500);
  const auto loaded = feed().load(replica_);
  ASSERT_TRUE(loaded);
  put_many(3);
  ASSERT_TRUE(feed().next(*loaded, 0ms));
  restore();
  put_many(1600);
  expect_reload(*loaded);
}

TEST_P(ChangeFeedSuite, ABatchNamesTheNonceOfItsHead) {
  load();
  catch_up();
  EXPECT_EQ(nonce_, Nonce{});
  put_many(1500);
  catch_up();
  const auto last = store().changes_after(Seq{1499}, 10);
  EXPECT_EQ(nonce_, last->at(0).nonce);
  catch_up();
  EXPECT_EQ(nonce_, last->at(0).nonce) << "of an empty batch";
}

TEST_P(ChangeFeedSuite, AReaderResumesFromWhatItHasKept) {
  put_many(3);
  load();
  catch_up();
  world_->reopen_feed();
  put_many(2);
  feed().resume({position_, nonce_});
  catch_up();
  EXPECT_EQ(position_.seq, Seq{5});
  expect_same_as_store();
}

TEST_P(ChangeFeedSuite, AReaderDoesNotResumeInAFork) {
  put_many(3);
  const auto restore = world_->backup();
  put_many(3);
  load();
  catch_up();
  restore();
  put_many(5);
  world_->reopen_feed();
  feed().resume({position_, nonce_});
  expect_reload(position_);
}

TEST_P(ChangeFeedSuite, AGapIsAReload) {
  put_many(2);
  load();
  put_many(3);
  world_->lose_change(Seq{4});
  const auto batch = feed().next(position_, 0ms);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().kind, FeedError::Kind::reload);
}

TEST_P(ChangeFeedSuite, AnUnreachableStoreIsUnavailableAndComesBack) {
  put_many(2);
  load();
  world_->make_unreachable();
  const auto batch = feed().next(position_, 0ms);
  ASSERT_FALSE(batch);
  EXPECT_NE(batch.error().kind, FeedError::Kind::reload);
  Replica nothing;
  const auto loaded = feed().load(nothing);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().kind, FeedError::Kind::reload);
  world_->make_reachable();
  put(new_key());
  catch_up();
  EXPECT_EQ(position_.seq, Seq{3});
}

}  // namespace
}  // namespace latchkey::feed
