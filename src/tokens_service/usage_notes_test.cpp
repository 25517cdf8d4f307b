// What is counted of each request: a table of requests and what each leaves in the recorder.

#include <map>

#include "tokens_service/testing/service_suite.hpp"

namespace latchkey::tokens_service {
namespace {

class UsageNotesTest : public ServiceFixture {
 protected:
  /// "outcome" or "outcome by no key" → count, since the last call.
  std::map<std::string, std::uint64_t> counted() {
    taken_ = usage_.take();
    std::map<std::string, std::uint64_t> counts;
    for (const auto& row : taken_.rows) {
      counts[row.outcome + (row.key == KeyId() ? " by no key" : "")] += row.count;
      cost_[row.outcome] += row.cost;
    }
    return counts;
  }
  using Counts = std::map<std::string, std::uint64_t>;

  usage::Taken taken_;
  std::map<std::string, std::uint64_t> cost_;
};

TEST_F(UsageNotesTest, EachRequestToACountedRouteIsCountedOnce) {
  const std::string token = token_of(new_key(2));
  for (int i = 0; i < 3; ++i) get("/v1/tokens", token);
  EXPECT_EQ(counted(), (Counts{{"admitted", 2}, {"rate-limited", 1}}));
  EXPECT_EQ(cost_["admitted"], 2U);
  EXPECT_EQ(cost_["rate-limited"], 0U);
  get("/v1/tokens/NOPE", token_of(new_key()));
  EXPECT_EQ(counted(), (Counts{{"admitted", 1}})) << "a permit was used";
  get("/v1/plan", token);
  EXPECT_EQ(counted(), Counts()) << "the own plan is no use";
  http::call(service_, http::Method::get, "/v1/tokens", {});
  get("/v1/tokens", "garbage");
  EXPECT_EQ(counted(), (Counts{{"no-credentials by no key", 1}, {"malformed by no key", 1}}));
}

TEST_F(UsageNotesTest, ARefusalOfAProvenKeyIsThatKeys) {
  AccessKey key = new_key();
  const std::string token = token_of(key);
  key.disabled = true;
  put(key);
  get("/v1/authorize", token);
  EXPECT_EQ(counted(), (Counts{{"disabled", 1}}));
  ASSERT_EQ(taken_.rows.size(), 1U);
  EXPECT_EQ(taken_.rows[0].key, key.id);
  EXPECT_FALSE(taken_.rows[0].last_use) << "a refused request is no use";
  ASSERT_EQ(taken_.refusals.size(), 1U);
  EXPECT_EQ(taken_.refusals[0].key, key.id);
  EXPECT_EQ(taken_.refusals[0].reason.text(), "disabled");
  EXPECT_EQ(taken_.refusals[0].id.text().size(), 32U);
  EXPECT_FALSE(taken_.refusals[0].position.text().empty());
}

}  // namespace
}  // namespace latchkey::tokens_service
