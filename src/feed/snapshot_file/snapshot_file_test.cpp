#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "feed/snapshot_file/snapshot_file_feed.hpp"
#include "feed/testing/change_feed_suite.hpp"
#include "feed/testing/sqlite_world.hpp"

namespace latchkey::feed {
namespace {

using namespace std::chrono_literals;

/// The reader with its file: what the projector and the view are in the program.
struct Reader {
  Reader(ChangeFeed& inner, const Clock& clock, const std::filesystem::path& path, std::string boot_id = "boot",
         std::string source = "store")
      : feed(inner, {2, [this](std::size_t slice, SnapshotSink& sink) { visit(slice, sink); }}, clock,
             {.path = path,
              .source = std::move(source),
              .boot_id = std::move(boot_id),
              .mark_interval = 0ms,
              .rewrite_after_bytes = 2000}) {}

  void visit(std::size_t slice, SnapshotSink& sink) {
    std::size_t i = 0;
    for (const auto& [id, key] : replica.keys) {
      if (i++ % 2 == slice) sink.access_key(key);
    }
    if (slice > 0) return;
    for (const auto& [kid, row] : replica.signing_keys) sink.signing_key(row.first, row.second);
  }
  Result<Position, FeedError> load() {
    replica = {};
    auto loaded = feed.load(replica);
    if (loaded) position = *loaded;
    return loaded;
  }
  Result<Batch, FeedError> next() {
    auto batch = feed.next(position, 0ms);
    if (!batch) return batch;
    for (const Change& change : batch->changes) replica.apply(change);
    position = batch->head;
    return batch;
  }

  Replica replica;
  Position position;
  SnapshotFileFeed feed;
};

class SnapshotFile : public testing::Test {
 protected:
  AccessKey put(AccessKey key) {
    EXPECT_TRUE(world_.store().transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
      key.version = transaction.put_key(key, "update").value();
      return {};
    }));
    return key;
  }
  AccessKey put() {
    AccessKey key;
    key.id = KeyId::generate(clock_.wall(), random_);
    key.user_id = "alice";
    key.updated_by = "ops";
    return put(key);
  }
  std::unique_ptr<Reader> reader(std::string boot_id = "boot", std::string source = "store") {
    world_.reopen_feed();
    return std::make_unique<Reader>(world_.feed(), clock_, path(), std::move(boot_id), std::move(source));
  }
  /// Starts one that follows to the end.
  std::unique_ptr<Reader> started() {
    auto it = reader();
    EXPECT_TRUE(it->load());
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(it->next());
    return it;
  }
  std::filesystem::path path() const { return world_.directory() / "view.snapshot"; }
  std::string bytes() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& text) const { std::ofstream(path(), std::ios::binary) << text; }

  SystemClock clock_;
  SystemRandom random_;
  SqliteWorld world_;
};

TEST_F(SnapshotFile, AReaderStartsFromItWithTheStoreGone) {
  const AccessKey key = put();
  BootTime as_of;
  {
    const auto before = started();
    as_of = before->next()->current_as_of;
  }
  world_.make_unreachable();
  const auto after = reader();
  ASSERT_TRUE(after->load());
  EXPECT_EQ(after->replica.keys.at(key.id), key);
  const auto batch = after->next();
  ASSERT_TRUE(batch) << batch.error().why;
  EXPECT_EQ(batch->current_as_of, as_of) << "a copy is no younger than what it was copied from";
  EXPECT_FALSE(batch->more);
  EXPECT_FALSE(after->next()) << "then the store is missed";
}

TEST_F(SnapshotFile, TheReaderGoesOnFromItWithoutALoad) {
  AccessKey key = put();
  started();
  key.disabled = true;
  key = put(key);
  put();
  const auto after = reader();
  ASSERT_TRUE(after->load());
  EXPECT_EQ(after->position.seq, Seq{1}) << "loaded from the store";
  ASSERT_TRUE(after->next());
  ASSERT_TRUE(after->next());
  EXPECT_EQ(after->position.seq, Seq{3});
  EXPECT_EQ(after->replica.keys.at(key.id), key);
}

TEST_F(SnapshotFile, ChangesAreInItAsSoonAsTheyWereRead) {
  const auto before = started();  // not ended: as after kill -9
  for (int i = 0; i < 50; ++i) {
    put();
    ASSERT_TRUE(before->next());
  }
  world_.make_unreachable();
  const auto after = reader();
  ASSERT_TRUE(after->load());
  EXPECT_EQ(after->replica.keys, before->replica.keys);
  EXPECT_EQ(after->position, before->position);
}

TEST_F(SnapshotFile, ItDoesNotGrowWithoutEnd) {
  const auto before = started();
  AccessKey key = put();
  for (int i = 0; i < 400; ++i) {
    key.disabled = !key.disabled;
    key = put(key);
    ASSERT_TRUE(before->next());
  }
  EXPECT_LT(bytes().size(), 20'000U);
  world_.make_unreachable();
  const auto after = reader();
  ASSERT_TRUE(after->load());
  EXPECT_EQ(after->replica.keys.at(key.id), key);
}

TEST_F(SnapshotFile, OfAnotherBootItIsABaseButProvesNothing) {
  put();
  started();
  const auto after = reader("another boot");
  ASSERT_TRUE(after->load());
  EXPECT_EQ(after->position.seq, Seq{1});
  const BootTime now = clock_.boot();
  const auto batch = after->next();
  ASSERT_TRUE(batch);
  EXPECT_GE(batch->current_as_of, now) << "the age of another boot was believed";
  world_.make_unreachable();
  const auto alone = reader("a third boot");
  ASSERT_TRUE(alone->load());
  EXPECT_FALSE(alone->next());
}

TEST_F(SnapshotFile, AForkedOrReplacedStoreIsAReloadAndTheFileIsGone) {
  put();
  const auto restore = world_.backup();
  put();
  started();
  restore();
  for (int i = 0; i < 3; ++i) put();
  const auto after = reader();
  ASSERT_TRUE(after->load());
  const auto batch = after->next();
  ASSERT_FALSE(batch) << "the file was believed without asking the store";
  EXPECT_EQ(batch.error().kind, FeedError::Kind::reload);
  EXPECT_FALSE(std::filesystem::exists(path()));
  ASSERT_TRUE(after->load());
  EXPECT_EQ(after->position.seq, Seq{4});
}

TEST_F(SnapshotFile, OfAnotherSourceItIsIgnored) {
  put();
  started();
  world_.make_unreachable();
  EXPECT_FALSE(reader("boot", "another store")->load());
}

TEST_F(SnapshotFile, CutAnywhereItIsAnEarlierStateOrNone) {
  std::map<Seq, std::map<KeyId, AccessKey>> states;
  {
    const auto before = started();
    for (int i = 0; i < 5; ++i) {
      put();
      ASSERT_TRUE(before->next());
      states[before->position.seq] = before->replica.keys;
    }
  }
  const std::string whole = bytes();
  int used = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::istringstream file(whole.substr(0, size));
    std::string why;
    const auto usable = snapshot_file::examine(file, "store", why);
    if (!usable) continue;
    ++used;
    Replica replica;
    ASSERT_TRUE(snapshot_file::hand_over(file, *usable, replica));
    EXPECT_EQ(replica.keys, states[usable->mark.end.position.seq]) << size;
  }
  EXPECT_GT(used, 0);
}

TEST_F(SnapshotFile, WithABitTurnedItIsAnEarlierStateOrNone) {
  const auto before = started();
  put();
  ASSERT_TRUE(before->next());
  const std::string whole = bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 4);
    std::istringstream file(broken);
    std::string why;
    const auto usable = snapshot_file::examine(file, "store", why);
    if (!usable) continue;
    Replica replica;
    ASSERT_TRUE(snapshot_file::hand_over(file, *usable, replica));
    EXPECT_EQ(replica.keys.size(), usable->mark.end.position.seq.value) << at;
  }
  write(std::string(100'000, 'x'));
  world_.make_unreachable();
  EXPECT_FALSE(reader()->load());
}

/// Any engine with the file in front of it is still an engine.
class KeptWorld final : public FeedWorld {
 public:
  store::KeyStore& store() override { return world_.store(); }
  ChangeFeed& feed() override { return *feed_; }
  void reopen_feed() override {
    world_.reopen_feed();
    std::error_code ignored;
    std::filesystem::remove(path(), ignored);  // the suite brings what it has kept itself
    feed_ = make();
  }
  std::function<void()> backup() override { return world_.backup(); }
  void replace() override { world_.replace(); }
  void make_unreachable() override { world_.make_unreachable(); }
  void make_reachable() override { world_.make_reachable(); }
  void lose_change(Seq seq) override { world_.lose_change(seq); }

 private:
  std::filesystem::path path() const { return world_.directory() / "view.snapshot"; }
  std::unique_ptr<SnapshotFileFeed> make() {
    return std::make_unique<SnapshotFileFeed>(world_.feed(), RowSource{1, [](std::size_t, SnapshotSink&) {}}, clock_,
                                              SnapshotFileConfig{.path = path(), .source = "s", .boot_id = "b"});
  }
  SystemClock clock_;
  SqliteWorld world_;
  std::unique_ptr<SnapshotFileFeed> feed_ = make();
};

INSTANTIATE_TEST_SUITE_P(Kept, ChangeFeedSuite,
                         testing::Values(FeedEngine{"kept", [] { return std::make_unique<KeptWorld>(); }}));

}  // namespace
}  // namespace latchkey::feed
