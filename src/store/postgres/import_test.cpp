#include "store/postgres/import.hpp"

#include <gtest/gtest.h>

#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/testing/test_server.hpp"

namespace latchkey::store {
namespace {

class Import : public testing::Test {
 protected:
  void fill() {
    AccessKey key;
    key.user_id = "alice";
    key.name = "Ümläut \"quoted\" \\ back";
    key.metadata = R"({"b":[1, 2],"a":"\u0000\\"})";
    key.updated_by = "ops";
    for (int i = 0; i < 1200; ++i) {
      key.id = KeyId::generate(clock_.wall(), random_);
      key.created_at = key.updated_at = clock_.wall();
      key.requests_per_minute = static_cast<std::uint32_t>(i + 1);
      key.disabled = i % 2 == 0;
      if (i % 3 == 0) key.expires_at = clock_.wall() + std::chrono::hours(1);
      if (i % 5 == 0) key.previous = PreviousIssue{{i}, clock_.wall()};
      ids_.push_back(key.id);
      put([&](Transaction& transaction) { return transaction.put_key(key, "create"); });
    }
    SigningKey signing;
    signing.kid = std::string(43, 'A');
    signing.public_key.fill(7);
    put([&](Transaction& transaction) { return transaction.put_signing_key(signing, "ops"); });
  }
  template <class Put>
  void put(Put work) {
    ASSERT_TRUE(source_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
      const auto done = work(transaction);
      return done ? Result<void>() : done.error();
    }));
  }

  postgres::TestServer& server_ = postgres::TestServer::shared();
  const std::string url_ = server_.url(server_.create_database());
  TemporaryDirectory directory_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<KeyStore> source_ = std::move(*open_sqlite(directory_ / "latchkey.db", clock_, random_));
  std::vector<KeyId> ids_;
  const std::function<Result<void>()> ready_ = [] { return Result<void>(); };
};

TEST_F(Import, MovesEveryRowAndEveryChangeAndTheLogGoesOn) {
  fill();
  const auto moved = import_into_postgres(*source_, url_, clock_.wall(), ready_);
  ASSERT_TRUE(moved) << moved.error().detail << moved.error().internal;
  EXPECT_EQ(moved->access_keys, 1200U);
  EXPECT_EQ(moved->changes, 1201U);
  const auto target = std::move(*open_postgres(url_, clock_));
  EXPECT_EQ(*target->position(), moved->position);
  EXPECT_NE(target->position()->epoch, source_->position()->epoch);
  for (const auto id : ids_) EXPECT_EQ(*target->find_key(id), *source_->find_key(id));
  EXPECT_EQ(*target->signing_keys(), *source_->signing_keys());
  for (const Seq after : {Seq{0}, Seq{700}}) {
    EXPECT_EQ(*target->changes_after(after, 1000), *source_->changes_after(after, 1000));
  }
  const auto done = target->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    auto key = **transaction.find_key(ids_[0]);
    key.disabled = !key.disabled;
    const auto version = transaction.put_key(key, "update");
    return version ? Result<void>() : version.error();
  });
  ASSERT_TRUE(done) << done.error().internal;
  EXPECT_EQ(done->position.seq, Seq{1202});
}

TEST_F(Import, RefusesATargetThatIsNotEmptyAndLeavesItAlone) {
  fill();
  ASSERT_TRUE(import_into_postgres(*source_, url_, clock_.wall(), ready_));
  const auto again = import_into_postgres(*source_, url_, clock_.wall(), ready_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_EQ((*open_postgres(url_, clock_))->position()->seq, Seq{1201});
}

/// A source that never gives its last page.
class Breaking final : public KeyStore {
 public:
  explicit Breaking(KeyStore& store) : store_(store) {}
  void transact(Work work, Done done) override { store_.transact(std::move(work), std::move(done)); }
  Result<std::optional<AccessKey>> find_key(KeyId id) override { return store_.find_key(id); }
  Result<KeyPage> list_keys(const KeyPageRequest& request) override {
    if (request.after) return Error(ErrorCode::unavailable, "broken off");
    return store_.list_keys(request);
  }
  Result<std::vector<KeyId>> list_key_ids(const KeyPageRequest& request) override {
    return store_.list_key_ids(request);
  }
  Result<std::vector<SigningKey>> signing_keys() override { return store_.signing_keys(); }
  Result<std::optional<Plan>> find_plan(std::string_view name) override { return store_.find_plan(name); }
  Result<std::optional<User>> find_user(std::string_view user_id) override { return store_.find_user(user_id); }
  Result<PlanPage> list_plans(const NamePageRequest& request) override { return store_.list_plans(request); }
  Result<UserPage> list_users(const NamePageRequest& request) override { return store_.list_users(request); }
  Result<PlanUses> plan_uses(std::string_view name) override { return store_.plan_uses(name); }
  Result<std::vector<Notice>> notices_after(std::uint64_t after, std::size_t limit) override {
    return store_.notices_after(after, limit);
  }
  Result<std::vector<Change>> changes_after(Seq after, std::size_t limit) override {
    return store_.changes_after(after, limit);
  }
  Result<AuditPage> audit(const AuditQuery& query) override { return store_.audit(query); }
  Result<Position> position() override { return store_.position(); }

 private:
  KeyStore& store_;
};

TEST_F(Import, KeepsNothingWhenItBreaksOff) {
  fill();
  Breaking broken(*source_);
  EXPECT_FALSE(import_into_postgres(broken, url_, clock_.wall(), ready_));
  EXPECT_EQ((*open_postgres(url_, clock_))->position()->seq, Seq{0});
  const auto unready = [] { return Result<void>(Error(ErrorCode::unavailable, "the source cannot be marked")); };
  EXPECT_FALSE(import_into_postgres(*source_, url_, clock_.wall(), unready));
  EXPECT_EQ((*open_postgres(url_, clock_))->position()->seq, Seq{0});
  EXPECT_TRUE(import_into_postgres(*source_, url_, clock_.wall(), ready_));
}

}  // namespace
}  // namespace latchkey::store
