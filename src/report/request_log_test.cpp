#include "report/request_log.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "base/json.hpp"
#include "base/testing/file_size_limit.hpp"

namespace latchkey::report {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

RequestRecord record_of(std::string_view path) {
  return {.time = {1'767'225'600'000},
          .key_id = {},
          .user_id = "alice",
          .method = "GET",
          .path = path,
          .outcome = "admitted",
          .status = 200,
          .latency_micros = 42};
}

/// Fails while told to.
class FaultySink final : public LogSink {
 public:
  struct State {
    std::atomic<bool> broken{false};
    std::string lines;
  };
  explicit FaultySink(State& state) : state_(state) {}
  Result<void> append(std::string_view lines) override {
    if (state_.broken) return Error(ErrorCode::unavailable, "broken");
    state_.lines += lines;
    return {};
  }

 private:
  State& state_;
};

class InFolder : public testing::Test {
 protected:
  InFolder() { fs::create_directories(folder_); }
  ~InFolder() override { fs::remove_all(folder_); }
  const fs::path folder_ = fs::temp_directory_path() / ("latchkey-log-" + std::to_string(::getpid()));
  const fs::path path_ = folder_ / "logs" / "requests.jsonl";
};

TEST(RequestLog, WritesOneJsonObjectALine) {
  FaultySink::State sink;
  RequestLog log(std::make_unique<FaultySink>(sink));
  RequestRecord record = record_of("/v1/tokens/\"\\\xff\n");
  record.key_id = KeyId::parse("0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d");
  log.record(record);
  log.flush();
  ASSERT_EQ(sink.lines.back(), '\n');
  const auto line = parse_json(sink.lines);
  ASSERT_TRUE(line) << sink.lines;
  EXPECT_EQ(line->at("time").as_string(), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(line->at("keyId").as_string(), "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d");
  EXPECT_EQ(line->at("userId").as_string(), "alice");
  EXPECT_EQ(line->at("path").as_string(), "/v1/tokens/\"\\??");
  EXPECT_EQ(line->at("status").as_int64(), 200);
  EXPECT_EQ(line->at("latencyMicros").as_int64(), 42);
  EXPECT_EQ(log.written(), 1U);
}

TEST(RequestLog, FullLanesDropAndCount) {
  FaultySink::State sink;
  RequestLog log(std::make_unique<FaultySink>(sink), {.lane_bytes = 1024, .interval = std::chrono::hours(1)});
  for (int i = 0; i < 100; ++i) log.record(record_of("/v1/tokens"));
  log.flush();
  EXPECT_GT(log.written(), 0U);
  EXPECT_GT(log.dropped(), 0U);
  EXPECT_EQ(log.written() + log.dropped(), 100U);
}

TEST(RequestLog, AFailingSinkCostsLinesAndNothingElse) {
  FaultySink::State sink;
  RequestLog log(std::make_unique<FaultySink>(sink));
  sink.broken = true;
  log.record(record_of("/lost"));
  log.flush();
  EXPECT_EQ(log.dropped(), 1U);
  sink.broken = false;
  log.record(record_of("/kept"));
  log.flush();
  EXPECT_EQ(log.written(), 1U);
  EXPECT_EQ(sink.lines.find("/lost"), std::string::npos);
}

TEST(RequestLog, ThreadsLoseNothingAndTheEndWritesTheRest) {
  FaultySink::State sink;
  {
    RequestLog log(std::make_unique<FaultySink>(sink), {.interval = std::chrono::milliseconds(1)});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) log.record(record_of("/v1/tokens"));
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(log.dropped(), 0U);
  }
  EXPECT_EQ(std::count(sink.lines.begin(), sink.lines.end(), '\n'), 4000);
}

TEST(RedactPath, HidesWhatCouldBeAToken) {
  const auto redacted = [](const std::string& path) {
    std::array<char, max_logged_path_bytes> out;
    return std::string(out.data(), redact_path(path, out));
  };
  EXPECT_EQ(redacted("/v1/tokens/ETH"), "/v1/tokens/ETH");
  EXPECT_EQ(redacted("/v1/eyJhbGciOi.x.y/z/"), "/v1/[redacted]/z/");
  EXPECT_EQ(redacted("/" + std::string(65, 'a')), "/[redacted]");
  EXPECT_EQ(redacted(std::string(300, '/')).size(), max_logged_path_bytes);
  EXPECT_EQ(redacted(""), "");
}

using LogFileTest = InFolder;

TEST_F(LogFileTest, AppendsAcrossReopening) {
  EXPECT_TRUE(LogFile({path_}).append("one\n"));
  EXPECT_TRUE(LogFile({path_}).append("two\n"));
  EXPECT_EQ(content_of(path_), "one\ntwo\n");
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(LogFileTest, HalfALineOfAnEarlierLifeStaysALineOfItsOwn) {
  fs::create_directories(path_.parent_path());
  std::ofstream(path_) << "hal";
  EXPECT_TRUE(LogFile({path_}).append("one\n"));
  EXPECT_EQ(content_of(path_), "hal\none\n");
}

TEST_F(LogFileTest, RotatesBySizeAndKeepsSoMany) {
  LogFile file({path_, 10, 2});
  for (const char* line : {"111111\n", "222222\n", "333333\n", "444444\n"}) EXPECT_TRUE(file.append(line));
  EXPECT_EQ(content_of(path_), "444444\n");
  EXPECT_EQ(content_of(path_.string() + ".1"), "333333\n");
  EXPECT_EQ(content_of(path_.string() + ".2"), "222222\n");
  EXPECT_FALSE(fs::exists(path_.string() + ".3"));
}

TEST_F(LogFileTest, AFullDiskFailsAndSpaceIsFoundAgain) {
  LogFile file({path_});
  {
    const FileSizeLimit full(0);
    EXPECT_FALSE(file.append("one\n"));
    EXPECT_FALSE(file.append("two\n"));
  }
  EXPECT_TRUE(file.append("three\n"));
  EXPECT_EQ(content_of(path_), "three\n");
}

TEST_F(LogFileTest, NothingStaysOfALineThatDidNotFit) {
  LogFile file({path_});
  {
    const FileSizeLimit full(6);
    EXPECT_FALSE(file.append("much longer\n"));
  }
  EXPECT_EQ(content_of(path_), "");
}

TEST_F(LogFileTest, AFileThatMayNotGrowIsRotated) {
  LogFile file({path_});
  const FileSizeLimit no_more(6);
  EXPECT_TRUE(file.append("one\n"));
  EXPECT_TRUE(file.append("two\n"));
  EXPECT_EQ(content_of(path_.string() + ".1") + content_of(path_), "one\ntwo\n");
}

TEST_F(LogFileTest, WhatOthersDoToTheFileIsFollowed) {
  const fs::path elsewhere = folder_ / "elsewhere";
  const std::map<std::string, std::pair<std::function<void()>, std::string>> cases{
      {"removed", {[&] { fs::remove(path_); }, "two\n"}},
      {"renamed", {[&] { fs::rename(path_, elsewhere); }, "two\n"}},
      {"replaced", {[&] { std::ofstream(elsewhere) << "new\n", fs::rename(elsewhere, path_); }, "new\ntwo\n"}},
      {"folder removed", {[&] { fs::remove_all(path_.parent_path()); }, "two\n"}},
      {"folder renamed", {[&] { fs::rename(path_.parent_path(), elsewhere); }, "two\n"}},
      {"emptied", {[&] { fs::resize_file(path_, 0); }, "two\n"}},
      {"cut", {[&] { fs::resize_file(path_, 2); }, "on\ntwo\n"}},
      {"a link", {[&] { fs::rename(path_, elsewhere), fs::create_symlink(elsewhere, path_); }, ""}},
      {"a directory", {[&] { fs::remove(path_), fs::create_directory(path_); }, ""}},
      {"a FIFO", {[&] { fs::remove(path_), ::mkfifo(path_.c_str(), 0600); }, ""}}};
  for (const auto& [what, happens] : cases) {
    fs::remove_all(folder_);
    LogFile file({path_});
    ASSERT_TRUE(file.append("one\n"));
    happens.first();
    EXPECT_EQ(file.append("two\n").has_value(), !happens.second.empty()) << what;
    EXPECT_EQ(happens.second.empty() ? "" : content_of(path_), happens.second) << what;
  }
}

TEST_F(LogFileTest, AFullDiskAfterAnEmptiedFileMakesNoZeros) {
  LogFile file({path_});
  ASSERT_TRUE(file.append(std::string(37'000, 'x') + "\n"));
  fs::resize_file(path_, 0);
  {
    const FileSizeLimit full(2);
    EXPECT_FALSE(file.append("two\n"));
  }
  EXPECT_TRUE(file.append("three\n"));
  EXPECT_EQ(content_of(path_), "three\n");
}

TEST_F(LogFileTest, AHangupBeginsTheFileThatThePathNames) {
  RequestLog log(std::make_unique<LogFile>(LogFileConfig{path_}));
  log.record(record_of("/one"));
  log.flush();
  fs::rename(path_, folder_ / "rotated");
  log.reopen();
  log.record(record_of("/two"));
  log.flush();
  EXPECT_NE(content_of(path_).find("/two"), std::string::npos);
  EXPECT_EQ(log.written(), 2U);
  EXPECT_EQ(log.dropped(), 0U);
}

}  // namespace
}  // namespace latchkey::report
