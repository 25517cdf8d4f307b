#include "data_dir/data_dir.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "base/testing/temporary_directory.hpp"

namespace latchkey::data_dir {
namespace {

class DataDirTest : public testing::Test {
 protected:
  TemporaryDirectory folder_;
  const std::vector<std::string> one_{"http://127.0.0.1:1"}, two_{"http://127.0.0.1:2", "unix:/run/a b.sock"};
  DataDir data_ = DataDir::open_or_create(folder_.path() / "data").value();
};

TEST_F(DataDirTest, ALockHasOneHolderAndEndsWithIt) {
  auto first = data_.lock("up");
  ASSERT_TRUE(first);
  const auto second = data_.lock("up");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_NE(second.error().detail.find("another `latchkey up` runs on " + data_.path().string()), std::string::npos);
  EXPECT_TRUE(data_.lock("keys")) << "each name has its own";
  first = Error();
  EXPECT_TRUE(data_.lock("up"));
}

TEST_F(DataDirTest, AMovedLockIsStillHeld) {
  std::optional<RunLock> holder;
  {
    auto taken = data_.lock("up");
    ASSERT_TRUE(taken);
    holder.emplace(std::move(*taken));
  }
  EXPECT_FALSE(data_.lock("up"));
}

// A full disk is no reason for a replica not to start again.
TEST_F(DataDirTest, TheSecretOfMemosIsMadeOnceAndThenOnlyRead) {
  SeededRandom random(1);
  const auto made = data_.load_or_create_memo_secret(random);
  ASSERT_TRUE(made);
  const auto secrets = data_.path() / "secrets";
  const auto changed = std::filesystem::last_write_time(secrets);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto read = data_.load_or_create_memo_secret(random);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->reveal(), made->reveal());
  EXPECT_EQ(std::filesystem::last_write_time(secrets), changed) << "something was written beside it";
}

TEST_F(DataDirTest, WhyALockCannotBeOpenedIsSaid) {
  std::filesystem::remove_all(data_.path() / "run");
  const auto lock = data_.lock("up");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::unavailable);
  EXPECT_NE(lock.error().detail.find("No such file"), std::string::npos) << lock.error().detail;
}

TEST_F(DataDirTest, AUrlCountsOnlyWhileItsServiceRuns) {
  auto claim = data_.claim(Service::keys);
  ASSERT_TRUE(claim);
  EXPECT_EQ(data_.published_url(Service::keys), std::nullopt);
  ASSERT_TRUE(data_.publish_urls(Service::keys, one_));
  EXPECT_EQ(data_.published_url(Service::keys), "http://127.0.0.1:1");
  EXPECT_EQ(data_.published_url(Service::tokens), std::nullopt);
  ASSERT_TRUE(data_.publish_urls(Service::keys, two_));
  EXPECT_EQ(data_.published_urls(Service::keys), two_);
  EXPECT_EQ(data_.published_url(Service::keys), two_.front());
  claim = Error();  // as if killed: it withdraws nothing
  EXPECT_EQ(data_.published_url(Service::keys), std::nullopt);
  ASSERT_TRUE(data_.claim(Service::keys));
  EXPECT_FALSE(std::filesystem::exists(data_.url_file(Service::keys))) << "the next one clears it away";
}

TEST_F(DataDirTest, WhatOthersMayReadIsClosedAndWhatTheyMayWriteIsRefused) {
  namespace fs = std::filesystem;
  const fs::path secrets = data_.path() / "secrets";
  fs::permissions(secrets, static_cast<fs::perms>(0755));
  ASSERT_TRUE(DataDir::open_or_create(data_.path()));
  EXPECT_EQ(fs::status(secrets).permissions(), fs::perms::owner_all);
  fs::permissions(secrets, static_cast<fs::perms>(0770));
  EXPECT_FALSE(DataDir::open_or_create(data_.path()));
}

TEST_F(DataDirTest, OnlyTheOwnUrlIsWithdrawn) {
  ASSERT_TRUE(data_.publish_urls(Service::keys, two_));
  data_.withdraw_urls(Service::keys, one_);
  EXPECT_TRUE(std::filesystem::exists(data_.url_file(Service::keys)));
  data_.withdraw_urls(Service::keys, two_);
  EXPECT_FALSE(std::filesystem::exists(data_.url_file(Service::keys)));
}

TEST_F(DataDirTest, ASecondServiceIsRefused) {
  const auto first = data_.claim(Service::tokens);
  ASSERT_TRUE(first);
  ASSERT_TRUE(data_.publish_urls(Service::tokens, one_));
  const auto second = data_.claim(Service::tokens);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().detail.find("another `latchkey tokens` runs on"), std::string::npos);
  EXPECT_EQ(data_.published_url(Service::tokens), "http://127.0.0.1:1");
}

}  // namespace
}  // namespace latchkey::data_dir
