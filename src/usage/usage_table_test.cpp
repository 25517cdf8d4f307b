#include "usage/usage_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <thread>

#include "usage/usage_recorder.hpp"

namespace latchkey::usage {
namespace {

constexpr UnixMillis start{29'000'000LL * 60'000};
constexpr std::array<std::string_view, 4> outcomes{admitted_name, would_limit_name, "rate-limited", "key-disabled"};

KeyId key(std::uint32_t number) {
  KeyId::Bytes bytes{};
  std::memcpy(bytes.data() + 8, &number, sizeof number);
  bytes[0] = 1;
  return KeyId(bytes);
}

TEST(UsageTable, AddsUpByKeyPlanOutcomeAndMinute) {
  UsageTable table;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(table.add({.key = key(1), .plan = "pro", .cost = 5, .time = start}));
  ASSERT_TRUE(table.add({.key = key(1), .plan = "", .cost = 1, .time = start}));
  ASSERT_TRUE(table.add({.key = key(1), .plan = "pro", .outcome = 2, .time = start}));
  ASSERT_TRUE(table.add({.key = key(1), .plan = "pro", .cost = 1, .time = {start.count + 60'000}}));
  ASSERT_EQ(table.size(), 4U);
  EXPECT_EQ(table.entry(0).count, 3U);
  EXPECT_EQ(table.entry(0).cost, 15U);
  EXPECT_EQ(table.plan_of(table.entry(0)), "pro");
  EXPECT_EQ(table.plan_of(table.entry(1)), "");
  EXPECT_EQ(table.minute_of(table.entry(3)), 29'000'001);
}

TEST(UsageTable, CostsAtMost48BytesAKeyUsed) {
  UsageTable table;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(table.add({.key = key(i), .cost = 1, .time = start}));
    if (i >= 10'000 && i % 977 == 0) {
      ASSERT_LE(table.bytes(), 48 * (i + 1) + UsageTable::block_entries * 36) << i;
    }
  }
  EXPECT_LE(table.bytes(), 48U * 100'000);
}

TEST(UsageTable, WhatWouldOverflowIsAddedBesides) {
  UsageTable table;
  std::uint64_t cost = 0;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(table.add({.key = key(1), .cost = 1'000'000, .time = start}));
    cost += 1'000'000;
  }
  for (std::uint32_t i = 2; i < 5000; ++i) ASSERT_TRUE(table.add({.key = key(i), .time = start}));  // the index grows
  ASSERT_TRUE(table.add({.key = key(1), .cost = 1, .time = start}));
  std::uint64_t sum = 0, count = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.entry(i).key != key(1)) continue;
    sum += table.entry(i).cost;
    count += table.entry(i).count;
  }
  EXPECT_EQ(sum, cost + 1);
  EXPECT_EQ(count, 10'001U);
}

TEST(UsageTable, RefusesWhatHasNoRoomAndAMinuteFourHoursLater) {
  UsageTable table(2);
  EXPECT_TRUE(table.add({.key = key(1), .time = start}));
  EXPECT_TRUE(table.add({.key = key(2), .time = {start.count + 255 * 60'000}}));
  EXPECT_FALSE(table.add({.key = key(3), .time = start}));
  EXPECT_TRUE(table.add({.key = key(1), .time = start}));
  EXPECT_FALSE(table.add({.key = key(1), .time = {start.count + 256 * 60'000}}));
  EXPECT_TRUE(table.add({.key = key(1), .time = {start.count - 1}})) << "a clock that was set back";
  table.clear();
  EXPECT_TRUE(table.add({.key = key(3), .time = {start.count + 256 * 60'000}}));
}

TEST(UsageRecorder, LosesNothingWhileManyThreadsCountAndOneTakes) {
  UsageRecorder recorder(outcomes);
  constexpr int threads = 6, rounds = 20'000;
  std::map<std::uint32_t, std::uint64_t> counted;
  std::atomic<int> running = threads;
  std::vector<std::thread> load;
  for (int t = 0; t < threads; ++t) {
    load.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        recorder.count({.key = key(static_cast<std::uint32_t>(i % 50)), .cost = 2, .time = start});
      }
      --running;
    });
  }
  std::uint64_t count = 0, cost = 0;
  const auto take = [&] {
    for (const auto& row : recorder.take().rows) {
      count += row.count;
      cost += row.cost;
    }
  };
  while (running > 0) take();
  for (auto& thread : load) thread.join();
  take();
  EXPECT_EQ(count, std::uint64_t{threads} * rounds);
  EXPECT_EQ(cost, 2 * count);
  EXPECT_EQ(recorder.dropped(), 0U);
}

TEST(UsageRecorder, OneRowOfAKeySaysWhenItWasUsedLast) {
  UsageRecorder recorder(outcomes);
  const auto address = AddressPrefix::of(*IpAddress::parse("10.1.2.3"));
  recorder.count({.key = key(1), .time = start, .address = address});
  recorder.count({.key = key(1), .plan = "pro", .time = {start.count + 5}, .address = address});
  recorder.count({.key = key(1), .plan = "pro", .outcome = 3, .time = {start.count + 9}});
  recorder.count({.outcome = 3, .time = start});
  const auto rows = recorder.take().rows;
  ASSERT_EQ(rows.size(), 4U);
  int uses = 0;
  for (const auto& row : rows) {
    if (!row.last_use) continue;
    ++uses;
    EXPECT_EQ(row.last_use->count, start.count + 5);
    EXPECT_EQ(row.address.to_string(), "10.1.2.0/24");
  }
  EXPECT_EQ(uses, 1);
}

TEST(UsageRecorder, AFloodOfRefusalsIsSampled) {
  UsageRecorder recorder(outcomes);
  for (int i = 0; i < 150'000; ++i) recorder.refuse({.id = {std::to_string(i)}, .time = start, .key = key(1)});
  const auto refusals = recorder.take().refusals;
  EXPECT_EQ(refusals.size(), 100U + 150'000 / 1024);
  EXPECT_EQ(std::ranges::count_if(refusals, [](const Refusal& refusal) { return refusal.sampled; }), 146);
  for (std::uint32_t i = 0; i < 100'000; ++i)
    recorder.refuse({.id = {std::to_string(i)}, .time = start, .key = key(i)});
  EXPECT_EQ(recorder.take().refusals.size(), UsageRecorder::most_refusals);
}

TEST(AddressPrefix, IsA24OrA48) {
  const auto of = [](const char* text) { return AddressPrefix::of(*IpAddress::parse(text)).to_string(); };
  EXPECT_EQ(of("192.0.2.77"), "192.0.2.0/24");
  EXPECT_EQ(of("::ffff:192.0.2.77"), "192.0.2.0/24");
  EXPECT_EQ(of("2001:db8:1:2::3"), "2001:db8:1::/48");
  EXPECT_EQ(of("2001:db8::1"), "2001:db8::/48");
  EXPECT_EQ(AddressPrefix().to_string(), "");
}

}  // namespace
}  // namespace latchkey::usage
