#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "base/testing/file_size_limit.hpp"
#include "limit/local/local_limiter.hpp"
#include "limit/testing/rate_limiter_suite.hpp"
#include "limit/testing/temporary_limit_file.hpp"

namespace latchkey::limit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

INSTANTIATE_TEST_SUITE_P(LocalInAFile, RateLimiterSuite, testing::Values([](ManualClock& clock) {
                           return std::make_unique<LocalLimiter>(clock, TemporaryLimitFile().open(clock));
                         }));

class RestartTest : public testing::Test {
 protected:
  void start(PriorRun prior_run = PriorRun::possible, const BootId& boot = {"this boot"}) {
    limiter_.emplace(clock_, file_.open(clock_, prior_run, boot));
  }
  void stop() { limiter_.reset(); }
  void restart() {
    stop();
    start();
  }
  bool admit(std::uint32_t limit) { return limiter_->try_admit(key_, {limit, 1})->admitted; }
  std::uint32_t admitted_of(std::uint32_t attempts, std::uint32_t limit) {
    std::uint32_t admitted = 0;
    for (std::uint32_t i = 0; i < attempts; ++i) admitted += admit(limit) ? 1 : 0;
    return admitted;
  }
  /// Changes the file's bytes while nobody has it.
  void edit(const std::function<void(std::fstream&)>& change) {
    stop();
    std::fstream file(file_.path(), std::ios::in | std::ios::out | std::ios::binary);
    change(file);
  }
  void expect_a_minute_of_refusals(std::string_view reason) {
    EXPECT_NE(why().find(reason), std::string::npos) << why();
    const Decision refused = *limiter_->try_admit(key_, {5, 1});
    ASSERT_FALSE(refused.admitted);
    EXPECT_FALSE(refused.unavailable);
    EXPECT_EQ(limiter_->peek(key_, {5, 1}).remaining, 0U);
    EXPECT_EQ(refused.retry_after_seconds, 61U);
    clock_.advance(seconds(60));
    EXPECT_FALSE(admit(5)) << "60 s later is still the same closed minute";
    clock_.advance(seconds(1));
    EXPECT_EQ(limiter_->seconds_of_unknown_past(), 0U);
    EXPECT_EQ(admitted_of(6, 5), 5U) << "waiting as long as told is enough";
  }
  std::string why() const { return std::string(limiter_->why_past_is_unknown()); }

  ManualClock clock_;
  SeededRandom random_{7};
  const KeyId key_ = KeyId::generate(clock_.wall(), random_);
  TemporaryLimitFile file_;
  std::optional<LocalLimiter> limiter_;
};

TEST_F(RestartTest, GoesOnWhereItEnded) {
  for (const std::uint32_t limit : {1U, 64U, 65U, 1'000U}) {
    start(PriorRun::none);
    clock_.advance(seconds(61));
    ASSERT_EQ(admitted_of(limit / 2 + 1, limit), limit / 2 + 1);
    clock_.advance(seconds(20));
    restart();
    EXPECT_EQ(admitted_of(limit, limit), limit - limit / 2 - 1);
    clock_.advance(seconds(41));
    restart();
    EXPECT_EQ(admitted_of(limit, limit), limit / 2 + 1) << "the first half has returned, the second not";
    stop();
    std::filesystem::remove(file_.path());
  }
}

TEST_F(RestartTest, ANewInstallationAdmitsAtOnce) {
  start(PriorRun::none);
  EXPECT_EQ(why(), "");
  EXPECT_TRUE(admit(1));
}

TEST_F(RestartTest, ALostFileIsLostMemory) {
  std::filesystem::remove(file_.path());
  start(PriorRun::possible);
  expect_a_minute_of_refusals("none");
}

TEST_F(RestartTest, AnotherBootsStampsMeanNothing) {
  start(PriorRun::none);
  stop();
  start(PriorRun::possible, {"another boot"});
  expect_a_minute_of_refusals("another boot");
}

TEST_F(RestartTest, AShortenedFileIsNoMemory) {
  for (const std::uintmax_t less : {std::uintmax_t{1}, std::uintmax_t{LimitFile::extent_bytes}}) {
    start(PriorRun::none);
    ASSERT_TRUE(admit(5));
    stop();
    std::filesystem::resize_file(file_.path(), std::filesystem::file_size(file_.path()) - less);
    start(PriorRun::possible);
    EXPECT_EQ(why(), "it is cut off") << less;
    EXPECT_FALSE(admit(5));
    stop();
    std::filesystem::remove(file_.path());
  }
}

TEST_F(RestartTest, WhatIsNotKnownStaysSoAcrossACrash) {
  start(PriorRun::possible);
  clock_.advance(seconds(30));
  restart();
  EXPECT_EQ(why(), "") << "this time the file itself is good";
  const Decision refused = *limiter_->try_admit(key_, {5, 1});
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.retry_after_seconds, 31U) << "nor does the wait begin again";
  clock_.advance(seconds(31));
  EXPECT_TRUE(admit(5));
}

TEST_F(RestartTest, ADamagedHeaderIsNotBelieved) {
  for (const std::streamoff at : {0, 15, 16, 20, 24, 32, 40, 119, 120}) {
    start(PriorRun::none);
    edit([&](std::fstream& file) {
      file.seekg(at);
      const auto byte = static_cast<char>(file.get() ^ 1);
      file.seekp(at);
      file.put(byte);
    });
    start();
    EXPECT_EQ(why(), "it is damaged") << "byte " << at;
    EXPECT_FALSE(admit(5)) << "byte " << at;
    stop();
    std::filesystem::remove(file_.path());
  }
}

TEST_F(RestartTest, ACopyIsNotBelieved) {
  start(PriorRun::none);
  stop();
  const auto copy = file_.path().string() + ".copy";
  std::filesystem::copy_file(file_.path(), copy);
  std::filesystem::rename(copy, file_.path());
  start();
  expect_a_minute_of_refusals("copy");
}

// It keeps the inode, the time that was made, and everything in it adds up.
TEST_F(RestartTest, ACopyThatIsPutBackInPlaceIsNotBelieved) {
  start(PriorRun::none);
  ASSERT_EQ(admitted_of(1, 20), 1U);
  const auto copy = file_.path().string() + ".copy";
  std::filesystem::copy_file(file_.path(), copy);
  ASSERT_EQ(admitted_of(19, 20), 19U);
  std::this_thread::sleep_for(LimitFile::slack + milliseconds(100));
  stop();
  std::ofstream(file_.path(), std::ios::binary) << std::ifstream(copy, std::ios::binary).rdbuf();
  std::filesystem::remove(copy);
  start();
  expect_a_minute_of_refusals("put back");
}

TEST_F(RestartTest, AnotherFileOfTheSameInodeIsNotBelieved) {
  start(PriorRun::none);
  ASSERT_TRUE(admit(5));
  edit([](std::fstream& file) {  // as of an inode that was made at another time
    const std::uint64_t another = 1;
    file.seekp(144).write(reinterpret_cast<const char*>(&another), sizeof another);
  });
  start();
  expect_a_minute_of_refusals("copy");
}

TEST_F(RestartTest, WhatIsMarkedIsBelievedHoweverLongItRan) {
  start(PriorRun::none);
  ASSERT_TRUE(admit(5));
  std::this_thread::sleep_for(LimitFile::slack + milliseconds(100));
  limiter_->keep();
  ASSERT_TRUE(admit(5));
  restart();
  EXPECT_EQ(why(), "");
  EXPECT_EQ(admitted_of(5, 5), 3U);
}

TEST_F(RestartTest, AFileThatTheNextProcessWillNotFindIsNoticed) {
  start(PriorRun::none);
  EXPECT_TRUE(limiter_->survives_restart());
  std::filesystem::rename(file_.path(), file_.path().string() + ".away");
  EXPECT_FALSE(limiter_->survives_restart());
  limiter_->keep();
  EXPECT_EQ(admitted_of(6, 5), 5U) << "limits hold all the same";
  std::filesystem::rename(file_.path().string() + ".away", file_.path());
  EXPECT_TRUE(limiter_->survives_restart());
}

TEST_F(RestartTest, AForeignFileIsNotBelieved) {
  std::ofstream(file_.path()) << std::string(10'000, 'x');
  start(PriorRun::none);
  expect_a_minute_of_refusals("damaged");
}

TEST_F(RestartTest, BelongsToOneProcess) {
  start(PriorRun::none);
  const auto second = LimitFile::open(file_.path(), {"this boot"}, clock_, PriorRun::none);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
}

TEST_F(RestartTest, ForgetsIdleKeysAndGivesTheirRoomBack) {
  start(PriorRun::none);
  for (int i = 0; i < 20'000; ++i) limiter_->try_admit(KeyId::generate(clock_.wall(), random_), {5, 1});
  const auto full = std::filesystem::file_size(file_.path());
  EXPECT_GE(full, 20'000 * sizeof(KeyBlock));
  clock_.advance(seconds(62));
  ASSERT_TRUE(admit(5));
  restart();
  EXPECT_EQ(limiter_->size().keys, 1U);
  EXPECT_LT(std::filesystem::file_size(file_.path()), full);
  EXPECT_EQ(admitted_of(5, 5), 4U);
  for (int i = 0; i < 20'000; ++i)
    ASSERT_TRUE(limiter_->try_admit(KeyId::generate(clock_.wall(), random_), {5, 1})->admitted);
  EXPECT_LE(std::filesystem::file_size(file_.path()), full + LimitFile::extent_bytes) << "vacant blocks are used again";
  EXPECT_FALSE(admit(5));
}

TEST_F(RestartTest, BlocksThatMakeNoSenseCountAsUsedUp) {
  start(PriorRun::none);
  ASSERT_TRUE(admit(5));
  edit([](std::fstream& file) {
    std::vector<char> block(sizeof(KeyBlock));
    for (std::streamoff at = LimitFile::header_bytes; file.seekg(at).read(block.data(), sizeof(KeyBlock));
         at += sizeof(KeyBlock)) {
      if (block[20] == 0) continue;                      // KeyBlock::use
      file.seekp(at + 36).write("\x7f\x7f\x7f\x7f", 4);  // Ring::head
    }
  });
  start();
  const Decision refused = *limiter_->try_admit(key_, {5, 1});
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.retry_after_seconds, 61U);
  clock_.advance(seconds(61));
  EXPECT_EQ(admitted_of(6, 5), 5U);
}

TEST_F(RestartTest, AFullDiskLosesNoPermitWhileItRuns) {
  start(PriorRun::none);
  std::vector<KeyId> keys(30'000);
  for (KeyId& key : keys) key = KeyId::generate(clock_.wall(), random_);
  {
    const FileSizeLimit no_room(3 << 20);
    for (const KeyId& key : keys) ASSERT_TRUE(limiter_->try_admit(key, {1, 1})->admitted);
    for (const KeyId& key : keys) ASSERT_FALSE(limiter_->try_admit(key, {1, 1})->admitted);
  }
  EXPECT_FALSE(limiter_->survives_restart());
  restart();
  EXPECT_TRUE(limiter_->survives_restart());
  expect_a_minute_of_refusals("disk was full");
}

TEST_F(RestartTest, AFileThatIsCutOffWhileItIsMappedIsNoMemory) {
  decide_resource_signals();
  for (const std::uintmax_t left : {std::uintmax_t{0}, std::uintmax_t{LimitFile::header_bytes}}) {
    start(PriorRun::none);
    clock_.advance(seconds(100));
    ASSERT_EQ(admitted_of(6, 5), 5U);
    std::filesystem::resize_file(file_.path(), left);
    const Decision refused = *limiter_->try_admit(key_, {5, 1});
    EXPECT_FALSE(refused.admitted) << "the very call that found nothing in the file";
    EXPECT_EQ(refused.retry_after_seconds, 61U);
    EXPECT_FALSE(limiter_->survives_restart());
    clock_.advance(seconds(60));
    EXPECT_FALSE(admit(5));
    clock_.advance(seconds(1));
    EXPECT_EQ(admitted_of(6, 5), 5U) << "waiting as long as told is enough";
    std::vector<KeyId> keys(10'000);
    for (KeyId& key : keys) key = KeyId::generate(clock_.wall(), random_);
    for (const KeyId& key : keys) ASSERT_TRUE(limiter_->try_admit(key, {1, 1})->admitted);
    restart();
    EXPECT_FALSE(admit(5)) << "nor does the next process believe it";
    stop();
    std::filesystem::remove(file_.path());
  }
}

TEST_F(RestartTest, AFullDiskAtTheStartIsNoError) {
  const FileSizeLimit no_room(100);
  start(PriorRun::none);
  EXPECT_EQ(admitted_of(6, 5), 5U);
  EXPECT_FALSE(limiter_->survives_restart());
  restart();
  EXPECT_FALSE(admit(5));
}

}  // namespace
}  // namespace latchkey::limit
