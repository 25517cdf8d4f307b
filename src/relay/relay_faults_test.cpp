// What befalls a stream: relays that die at any step, two of them, a Redis that forgets, entries that get lost.

#include "relay/testing/relay_world.hpp"

namespace latchkey::relay {
namespace {

using feed::FeedError;

/// A reader that goes on through everything, and counts how often it had to begin anew.
class Follower {
 public:
  explicit Follower(RelayWorld& world) : world_(world) {}

  /// Until the proof is younger than the call. Loads where the feed says so.
  void catch_up() {
    const BootTime called = world_.clock().boot();
    for (int attempt = 0; attempt < 200; ++attempt) {
      if (!loaded_ && !load()) continue;
      const auto batch = world_.feed().next(position_, 0ms);
      if (!batch) {
        if (batch.error().kind == FeedError::Kind::reload) loaded_ = false;
        continue;
      }
      for (const Change& change : batch->changes) replica_.apply(change);
      position_ = batch->head;
      if (!batch->more && batch->current_as_of >= called) return;
    }
    ADD_FAILURE() << "never caught up";
  }
  void expect_same_as_store() {
    EXPECT_EQ(position_, *world_.store().position());
    const auto page = world_.store().list_keys({{}, 500, {}, {}}).value();
    ASSERT_FALSE(page.more);
    for (const AccessKey& key : page.keys) {
      ASSERT_TRUE(replica_.keys.contains(key.id));
      EXPECT_EQ(replica_.keys.at(key.id), key);
    }
    EXPECT_EQ(replica_.keys.size(), page.keys.size());
  }
  int loads() const { return loads_; }
  Position position() const { return position_; }

 private:
  bool load() {
    replica_ = {};
    const auto loaded = world_.feed().load(replica_);
    loaded_ = loaded.has_value();
    if (loaded) position_ = *loaded;
    if (loaded) ++loads_;
    return loaded_;
  }

  RelayWorld& world_;
  feed::Replica replica_;
  Position position_;
  bool loaded_ = false;
  int loads_ = 0;
};

struct Died {};

class RelayFaults : public testing::Test {
 protected:
  void interrupt_each_write(const std::function<void()>& accident);

  AccessKey put(bool disabled = false) {
    AccessKey key;
    key.id = KeyId::generate(world_.clock().wall(), world_.random());
    key.user_id = "alice";
    key.updated_by = "ops";
    key.disabled = disabled;
    return put(key);
  }
  AccessKey put(AccessKey key) {
    EXPECT_TRUE(world_.store().transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
      key.version = transaction.put_key(key, "update").value();
      return {};
    }));
    return key;
  }
  void put_many(int count) {
    for (int i = 0; i < count; ++i) put();
  }

  /// Changes of keys there are, so that their number stays small.
  void change(AccessKey key, int times) {
    for (int i = 0; i < times; ++i) {
      key.disabled = !key.disabled;
      put(key);
    }
  }

  RelayWorld world_{{.chunk_bytes = 300, .seeded_changes = 6, .changes_between = 4}};
  Follower follower_{world_};
};

/// A life begun, followed, renewed and trimmed, with `accident` before or after each of its writes in turn; whatever it
/// was, a new relay goes on and the view equals the store.
void RelayFaults::interrupt_each_write(const std::function<void()>& accident) {
  AccessKey key = put();
  for (int i = 0; i < 4; ++i) put();
  int steps = 0;
  for (int last = 1; last == 1 || steps >= last - 1; ++last) {
    steps = 0;
    world_.redis().run({"FLUSHALL"});
    world_.replace_relay(world_.another_relay([&] {
      if (++steps == last) accident();
    }));
    try {
      world_.settle();
      change(key, 3);
      world_.settle();
      change(key, 5);
      world_.settle();
      world_.settle();
    } catch (const Died&) {
    }
    world_.lose_relay();
    put(key);
    follower_.catch_up();
    follower_.expect_same_as_store();
    ASSERT_LT(last, 200) << "the relay writes without end";
    ASSERT_FALSE(HasFailure()) << "at step " << last;
  }
  EXPECT_GT(steps, 20) << "the scenario writes too little to show anything";
}

TEST_F(RelayFaults, KilledAtEveryStepItLeavesNothingANewOneCannotGoOnFrom) {
  interrupt_each_write([] { throw Died(); });
}

TEST_F(RelayFaults, ARedisEmptiedAtEveryStepIsFilledAgain) {
  interrupt_each_write([this] { world_.redis().run({"FLUSHALL"}); });
}

TEST_F(RelayFaults, AChangeDuringTheScanIsInTheSnapshot) {
  AccessKey key = put();
  for (int i = 0; i < 20; ++i) put();
  key.disabled = true;
  std::function<void()> disable = [&] { put(key); };
  world_.replace_relay(world_.another_relay([&] { std::exchange(disable, [] {})(); }));
  world_.relay().snapshots().step();
  feed::Replica replica;
  ASSERT_TRUE(world_.bare_feed().load(replica)) << "there is a snapshot, and nothing else yet";
  EXPECT_TRUE(replica.keys.at(key.id).disabled);
  follower_.catch_up();
  follower_.expect_same_as_store();
}

TEST_F(RelayFaults, AnEmptiedRedisIsFilledAgainAndReadersGoOnWithoutALoad) {
  put_many(8);
  follower_.catch_up();
  world_.redis().run({"FLUSHALL"});
  const auto empty = world_.bare_feed().next(follower_.position(), 0ms);
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().kind, FeedError::Kind::not_made);
  put(true);
  follower_.catch_up();
  follower_.expect_same_as_store();
  EXPECT_EQ(follower_.loads(), 1);
}

TEST_F(RelayFaults, AReaderTooFarBehindAnEmptiedRedisLoads) {
  put_many(3);
  follower_.catch_up();
  world_.redis().run({"FLUSHALL"});
  put_many(10);
  follower_.catch_up();
  follower_.expect_same_as_store();
  EXPECT_EQ(follower_.loads(), 2);
}

TEST_F(RelayFaults, ARedisThatRestartsEmptyIsFilledAgain) {
  put_many(8);
  follower_.catch_up();
  world_.redis().kill();
  put(true);
  world_.redis().start();
  follower_.catch_up();
  follower_.expect_same_as_store();
}

TEST_F(RelayFaults, ATrimmedLogIsNoticedByWhoWasBehindIt) {
  put_many(2);
  follower_.catch_up();
  for (int i = 0; i < 6; ++i) {
    put_many(5);
    world_.settle();
    world_.relay().step();
  }
  EXPECT_GE(world_.relay().stats().snapshots, 2U);
  follower_.catch_up();
  follower_.expect_same_as_store();
  EXPECT_EQ(follower_.loads(), 2);
}

TEST_F(RelayFaults, ALostEntryIsAGapForTheReaderAndDamageForTheRelay) {
  put_many(2);
  follower_.catch_up();
  put_many(3);
  world_.settle();
  world_.redis().run({"XDEL", feed::redis_layout::log, "4-0"});
  const auto batch = world_.bare_feed().next(follower_.position(), 0ms);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().kind, FeedError::Kind::reload);
  follower_.catch_up();
  follower_.expect_same_as_store();
  EXPECT_EQ(world_.relay().stats().ended, 1U);
}

TEST_F(RelayFaults, OfTwoRelaysTheLaterIsRefusedAndNothingIsWrittenTwice) {
  const auto other = world_.another_relay();
  for (int i = 0; i < 10; ++i) {
    put_many(2);
    follower_.catch_up();
    other->step();
    put(true);
    other->step();
    other->step();
    follower_.catch_up();
    follower_.expect_same_as_store();
  }
  EXPECT_GT(world_.relay().stats().duplicates + other->stats().duplicates, 0U);
  EXPECT_GT(other->stats().appended, 0U);
  EXPECT_EQ(follower_.loads(), 1);
}

TEST_F(RelayFaults, ARelayOfAnotherHistoryWaitsWhileTheLifeTicks) {
  put_many(2);
  follower_.catch_up();
  feed::SqliteWorld other_store;
  SteppedRelay other(other_store.path(), world_.redis().address(), world_.clock(), world_.random());
  for (const BootTime begin = world_.clock().boot(); world_.clock().boot() - begin < 1500ms;) {
    other.step();
    world_.relay().step();
  }
  EXPECT_EQ(other.stats().ended, 0U);
  EXPECT_EQ(other.tail().followed().get(), std::nullopt);
  EXPECT_EQ(world_.relay().tail().followed().get(), world_.store().position()->epoch);
  follower_.catch_up();
  EXPECT_EQ(follower_.loads(), 1);
  for (const BootTime begin = world_.clock().boot(); !other.tail().following();) {
    ASSERT_LT(world_.clock().boot() - begin, 60s) << "a life that nobody follows is never taken over";
    other.step();
  }
  EXPECT_EQ(other.stats().ended, 1U);
  EXPECT_EQ(other.tail().followed().get(), other_store.store().position()->epoch);
}

// The one that wrote what the store has lost is dead; the other had not read it yet, so its own history did not break.
TEST_F(RelayFaults, ARelayThatLaggedDoesNotVouchForWhatWasUndone) {
  put_many(2);
  follower_.catch_up();
  auto lagging = world_.another_relay();
  lagging->step();
  ASSERT_TRUE(lagging->tail().following());
  const auto restore = world_.backup();
  put(true);
  follower_.catch_up();
  restore();
  world_.replace_relay(std::move(lagging));
  follower_.catch_up();
  follower_.expect_same_as_store();
}

// Readers would take its changes for those of another database, with no order to the positions they were told.
TEST_F(RelayFaults, ALifeWhoseEpochWasChangedInRedisIsLeftAndNotVouchedFor) {
  put();
  follower_.catch_up();
  world_.redis().run({"HSET", feed::redis_layout::head, "epoch", "0000000000000001"});
  const auto beats = world_.relay().stats().beats.load();
  world_.relay().step();
  EXPECT_EQ(world_.relay().stats().beats, beats);
  EXPECT_FALSE(world_.relay().tail().following());
  follower_.catch_up();
  follower_.expect_same_as_store();
}

TEST_F(RelayFaults, ADelayedHeartbeatProvesNothingNew) {
  put();
  follower_.catch_up();
  auto& stream = world_.relay().stream();
  const Life life = **stream.look();
  const Tick tick =
      **stream.tick(life.id, life.end.position.epoch);  // then the relay reads the store, and stands still
  const BootTime stood_still = world_.clock().boot();
  put(true);
  ASSERT_TRUE(world_.bare_feed().next(follower_.position(), 0ms));
  ASSERT_EQ(stream.append(life.id, life.end, {}, tick)->what, Appended::done);
  const auto batch = world_.bare_feed().next(follower_.position(), 0ms);
  ASSERT_TRUE(batch);
  EXPECT_LT(batch->current_as_of, stood_still);
}

TEST_F(RelayFaults, AHeartbeatOfABrokenConnectionIsNotWritten) {
  put();
  follower_.catch_up();
  auto& stream = world_.relay().stream();
  const Life life = **stream.look();
  Tick tick = **stream.tick(life.id, life.end.position.epoch);
  ++tick.connection;
  const auto before = world_.redis().run({"HGET", feed::redis_layout::head, "beat_tick"});
  ASSERT_EQ(stream.append(life.id, life.end, {}, tick)->what, Appended::done);
  EXPECT_EQ(world_.redis().run({"HGET", feed::redis_layout::head, "beat_tick"}), before);
}

// Redis came back with what it held some time ago: a state that was whole once, but older than what was enforced.
TEST_F(RelayFaults, AfterAReloadOnlyALaterReadOfTheStoreIsAProof) {
  put();
  follower_.catch_up();
  world_.relay().step();
  feed::Replica replica;
  auto& feed = world_.bare_feed();
  const BootTime reloaded = world_.clock().boot();
  const auto position = feed.load(replica);
  ASSERT_TRUE(position);
  for (int i = 0; i < 3; ++i) {
    const auto batch = feed.next(*position, 0ms);
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->more) << "the heartbeat of before the load proves something";
  }
  world_.settle();
  const auto batch = feed.next(*position, 0ms);
  ASSERT_TRUE(batch);
  EXPECT_FALSE(batch->more);
  EXPECT_GE(batch->current_as_of, reloaded);
}

TEST_F(RelayFaults, WhereSomethingElseStandsBothSaysWhatToDo) {
  const std::string remedy = "DEL latchkey:{feed}:head latchkey:{feed}:log latchkey:{feed}:nudge";
  put();
  follower_.catch_up();
  for (const std::string& key : {feed::redis_layout::head, feed::redis_layout::log, feed::redis_layout::nudge}) {
    world_.redis().run({"DEL", key});
    world_.redis().run({"SET", key, "x"});
    EXPECT_NE(world_.bare_feed().next({}, 0ms).error().why.find(remedy), std::string::npos) << key;
  }
  EXPECT_NE(world_.relay().stream().look().error().internal.find(remedy), std::string::npos);
  world_.redis().run({"DEL", feed::redis_layout::head, feed::redis_layout::log, feed::redis_layout::nudge});
  world_.redis().run({"HSET", feed::redis_layout::head, "life", "x"});
  EXPECT_NE(world_.relay().stream().look().error().internal.find(remedy), std::string::npos);
  world_.redis().run({"DEL", feed::redis_layout::head});
  follower_.catch_up();
  follower_.expect_same_as_store();
}

TEST_F(RelayFaults, WhatIsNoStreamOfOursIsUnavailable) {
  world_.lose_relay();
  for (const char* value : {"", "x", "-1", "99999999999999999999"}) {
    world_.redis().run({"HSET",       feed::redis_layout::head,
                        "life",       "l",
                        "epoch",      value,
                        "base",       "0",
                        "last",       "3",
                        "tick",       value,
                        "beat_seq",   "0",
                        "beat_tick",  "0",
                        "base_nonce", "",
                        "last_nonce", value});
    feed::Replica replica;
    const auto loaded = world_.bare_feed().load(replica);
    ASSERT_FALSE(loaded);
    const auto batch = world_.bare_feed().next({}, 0ms);
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().kind, FeedError::Kind::unavailable);
  }
}

}  // namespace
}  // namespace latchkey::relay
