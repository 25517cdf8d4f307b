#include "key/request_id.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace latchkey {
namespace {

std::string string_of(const RequestId& id) {
  const auto text = text_of(id);
  return {text.data(), text.size()};
}

TEST(RequestId, ItsTextReadsBack) {
  const RequestId id{0x0123456789abcdefU, 0xfedcba9876543210U};
  EXPECT_EQ(string_of(id), "0123456789abcdeffedcba9876543210");
  EXPECT_EQ(RequestId::parse(string_of(id)), id);
  for (const char* bad : {"", "0123456789abcdeffedcba987654321", "0123456789abcdeffedcba98765432100",
                          "0123456789ABCDEFfedcba9876543210", "0123456789abcdef-edcba9876543210"}) {
    EXPECT_FALSE(RequestId::parse(bad)) << bad;
  }
}

TEST(RequestId, NoTwoThreadsAndNoTwoRequestsHaveOne) {
  std::vector<std::vector<std::string>> of_threads(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : of_threads) {
      threads.emplace_back([&ids] {
        for (int i = 0; i < 1000; ++i) ids.push_back(string_of(next_request_id()));
      });
    }
  }
  std::set<std::string> all;
  for (const auto& ids : of_threads) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 4000U);
}

TEST(RequestId, DoesNotTellHowManyThereWere) {
  SeededRandom random(1);
  RequestIds ids(random), others(random);
  EXPECT_NE(ids.next().low, others.next().low);
  EXPECT_NE(ids.next().high, others.next().high);
}

}  // namespace
}  // namespace latchkey
