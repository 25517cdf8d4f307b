#include <atomic>

#include "base/testing/temporary_directory.hpp"
#include "redis/testing/test_server.hpp"
#include "usage/redis/redis_usage_sink.hpp"
#include "usage/redis/usage_drain.hpp"
#include "usage/redis/usage_stream.hpp"
#include "usage/sqlite/sqlite_usage.hpp"
#include "usage/testing/usage_suite.hpp"

namespace latchkey::usage {
namespace {



/// Through a Redis and a relay's drain into a file, with two relays at work.
class RedisUsageWorld final : public UsageWorld {
 public:
  ~RedisUsageWorld() override { drains_.clear(); }
  std::unique_ptr<UsageDatabase> open_for_writing() override {
    return std::make_unique<SqliteUsage>(path_, store::Access::write);
  }
  std::unique_ptr<UsageDatabase> open_for_reading() override {
    return std::make_unique<SqliteUsage>(path_, store::Access::read);
  }
  std::unique_ptr<UsageSink> new_sink(const Clock& clock, Retention retention) override {
    drains_.clear();
    for (int i = 0; i < 2; ++i) {
      auto store = std::make_unique<UsageStore>(open_for_writing(), clock, retention, UsageStore::Writers::many);
      auto drain = std::make_unique<UsageDrain>(server_.address(), *store, system_, [] { return true; });
      drain->start();
      drains_.emplace_back(std::move(store), std::move(drain));
    }
    return std::make_unique<RedisUsageSink>(server_.address(), system_);
  }

 private:
  TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "usage.db";
  SystemClock system_;
  redis::TestServer server_;
  std::vector<std::pair<std::unique_ptr<UsageStore>, std::unique_ptr<UsageDrain>>> drains_;
};

INSTANTIATE_TEST_SUITE_P(Redis, UsageSuite,
                         testing::Values(UsageEngine{"Redis", [] { return std::make_unique<RedisUsageWorld>(); }}),
                         [](const auto& test) { return test.param.name; });

TEST(UsageStream, WhatIsWrittenIsRead) {
  const PackedBatch batch{.writer = std::string(32, 'a'),
                          .seq = 7,
                          .covered_until = {1'790'000'000'000},
                          .ended = true,
                          .row_count = 1,
                          .refusal_count = 2,
                          .rows = "[{}]",
                          .refusals = "[{},{}]"};
  std::vector<redis::Reply> fields;
  for (const auto& word : usage_stream::fields_of(batch)) {
    redis::Reply reply;
    reply.kind = redis::Reply::Kind::string;
    reply.text = word;
    fields.push_back(reply);
  }
  const auto read = usage_stream::batch_of(fields);
  ASSERT_TRUE(read);
  EXPECT_EQ(usage_stream::fields_of(*read), usage_stream::fields_of(batch));
  for (std::size_t i = 0; i < 10; i += 2) {
    auto broken = fields;
    broken[i + 1].text = "x";
    EXPECT_EQ(usage_stream::batch_of(broken).has_value(), broken[i].text == "e") << broken[i].text;
  }
  fields.resize(8);
  EXPECT_FALSE(usage_stream::batch_of(fields));
}

}  // namespace
}  // namespace latchkey::usage
