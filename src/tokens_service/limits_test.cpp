// Limits of plans, users and keys through the router, without a socket: what is refused, by which type, and what every
// answer says of them.

#include "tokens_service/testing/service_suite.hpp"

namespace latchkey::tokens_service {
namespace {

LimitSpec window(std::string name, std::uint32_t requests, std::uint32_t seconds, LimitPer per = LimitPer::key,
                 LimitMode mode = LimitMode::enforce) {
  return {std::move(name), requests, LimitWindow{seconds}, per, mode};
}

LimitSpec daily(std::uint32_t requests, LimitPer per = LimitPer::key) {
  return {"daily", requests, LimitPeriod{PeriodUnit::day, "UTC", 1}, per, LimitMode::enforce};
}

class LimitsTest : public ServiceFixture {
 protected:
  void put_plan(LimitList limits) {
    Plan plan;
    plan.name = "pro";
    plan.limits = std::move(limits);
    plan.version = {feed_.size() + 1};
    feed_.append(plan);
    follow();
  }
  std::string key_with_plan(LimitList own = {}) {
    AccessKey key = new_key();
    key.requests_per_minute.reset();
    key.plan = "pro";
    if (!own.empty()) key.limits = std::move(own);
    return token_of(put(key));
  }
  void cost(std::uint32_t cost) {
    rules::Rule rule;
    rule.name = "costly";
    rule.cost = cost;
    rules_.replace(rules::RuleTable::make({rule}).value(), clock_.boot());
  }
  http::Reply ask_costly(const std::string& token) { return get("/v1/rules/costly/authorize", token); }
  static std::vector<std::string> violated(const http::Reply& reply) {
    std::vector<std::string> names;
    const auto body = parse_json(reply.body).value();
    for (const auto& name : body.at("violated-policies").as_array()) {
      names.emplace_back(name.as_string());
    }
    return names;
  }
  using Names = std::vector<std::string>;
};

TEST_F(LimitsTest, EveryAnswerListsWhatIsEnforcedWindowsFirst) {
  put_plan({daily(5'000), window("per-second", 10, 1), window("seen", 1, 60, LimitPer::key, LimitMode::observe),
            window("hourly", 100, 3600, LimitPer::user)});
  const std::string token = key_with_plan();
  for (const std::string_view target : {"/v1/tokens", "/v1/authorize"}) {
    const auto reply = get(target, token);
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.header("RateLimit-Policy"), "\"per-second\";q=10;w=1, \"hourly\";q=100;w=3600, \"daily\";q=5000");
  }
  EXPECT_EQ(get("/v1/tokens/ETH", token).header("RateLimit"),
            "\"per-second\";r=7;t=2, \"hourly\";r=97;t=3620, \"daily\";r=4997;t=86400");
  EXPECT_NE(metrics_.render().find("latchkey_would_limit_total 2\n"), std::string::npos) << "all but the first";
}

TEST_F(LimitsTest, WhatRefusesIsNamedTakesNothingAndRetryAfterIsEnoughForAll) {
  put_plan({window("per-second", 2, 1), window("ten", 3, 10)});
  const std::string token = key_with_plan();
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
  auto refused = get("/v1/tokens", token);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(type_of(refused), "/problems/rate-limited");
  EXPECT_EQ(violated(refused), Names{"per-second"});
  EXPECT_EQ(refused.header("RateLimit"), "\"per-second\";r=0;t=2, \"ten\";r=1;t=11") << "nothing was taken of either";
  clock_.advance(std::chrono::seconds(std::stoi(refused.header("Retry-After"))));
  follow();
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
  refused = get("/v1/tokens", token);
  EXPECT_EQ(violated(refused), Names{"ten"});
  EXPECT_GE(std::stoi(refused.header("Retry-After")), 8);
  clock_.advance(std::chrono::seconds(std::stoi(refused.header("Retry-After"))));
  follow();
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
}

TEST_F(LimitsTest, APeriodAmongThemMakesItAQuota) {
  put_plan({window("per-second", 1, 1), daily(1)});
  const std::string token = key_with_plan();
  EXPECT_EQ(get("/v1/authorize", token).status, 200);
  const auto refused = get("/v1/authorize", token);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(type_of(refused), "/problems/quota-exceeded");
  EXPECT_EQ(violated(refused), (Names{"per-second", "daily"}));
  EXPECT_EQ(refused.header("Retry-After"), "86400") << "the clock stands at midnight";
  const auto hidden = get("/v1/authorize?deny=403", token);
  EXPECT_EQ(hidden.status, 403);
  EXPECT_EQ(hidden.header("X-Latchkey-Status"), "429");
  EXPECT_EQ(hidden.header("X-Latchkey-Problem"), "quota-exceeded");
  EXPECT_EQ(hidden.header("Retry-After"), "86400");
}

TEST_F(LimitsTest, ThePlainLimitNamesItselfToo) {
  const std::string token = token_of(new_key(1));
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
  EXPECT_EQ(violated(get("/v1/tokens", token)), Names{"per-minute"});
}

TEST_F(LimitsTest, AllKeysOfAUserShareWhatIsPerUser) {
  put_plan({window("shared", 3, 60, LimitPer::user)});
  const std::string a = key_with_plan(), b = key_with_plan();
  EXPECT_EQ(get("/v1/tokens", a).header("RateLimit").substr(0, 12), "\"shared\";r=2");
  EXPECT_EQ(get("/v1/tokens", b).header("RateLimit").substr(0, 12), "\"shared\";r=1");
  User user;
  user.user_id = "alice";
  user.version = {feed_.size() + 1};
  feed_.append(user);
  follow();
  EXPECT_EQ(get("/v1/tokens", a).header("RateLimit").substr(0, 12), "\"shared\";r=0")
      << "a row of its own moves nothing";
  EXPECT_EQ(get("/v1/tokens", b).status, 429);
}

TEST_F(LimitsTest, CostIsTakenOfAllLimitsOfThePlainOneToo) {
  put_plan({window("ten", 10, 10), daily(25)});
  const std::string listed = key_with_plan(), plain = token_of(new_key(10));
  cost(4);
  EXPECT_EQ(ask_costly(listed).header("RateLimit"), "\"ten\";r=6;t=11, \"daily\";r=21;t=86400");
  EXPECT_EQ(get("/v1/authorize", listed).header("RateLimit").substr(0, 10), "\"ten\";r=5;") << "without a rule: one";
  EXPECT_EQ(ask_costly(listed).status, 200);
  EXPECT_EQ(ask_costly(listed).status, 429);
  EXPECT_EQ(ask_costly(plain).header("RateLimit").substr(0, 17), "\"per-minute\";r=6;");
  EXPECT_EQ(get("/v1/tokens", plain).header("RateLimit").substr(0, 17), "\"per-minute\";r=5;");
  cost(11);
  const auto never = ask_costly(listed);
  EXPECT_EQ(never.status, 403);
  EXPECT_EQ(type_of(never), "/problems/cost-exceeds-limit");
  EXPECT_EQ(violated(never), Names{"ten"});
  EXPECT_EQ(never.header("Retry-After"), "");
  EXPECT_EQ(type_of(ask_costly(plain)), "/problems/cost-exceeds-limit");
  cost(0);
  EXPECT_EQ(ask_costly(plain).header("RateLimit").substr(0, 17), "\"per-minute\";r=5;") << "takes nothing";
}

TEST_F(LimitsTest, AnObservedLimitIsInNoHeaderAndRefusesNothing) {
  put_plan({window("seen", 1, 60, LimitPer::key, LimitMode::observe)});
  const std::string token = key_with_plan();
  for (int i = 0; i < 3; ++i) {
    const auto reply = get("/v1/tokens", token);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("RateLimit-Policy"), "");
    EXPECT_EQ(reply.header("RateLimit"), "");
  }
  EXPECT_NE(metrics_.render().find("latchkey_would_limit_total 2\n"), std::string::npos);
}

TEST_F(LimitsTest, AnUnlimitedKeyIsNotCountedWhateverItsPlanHas) {
  put_plan({window("one", 1, 60)});
  AccessKey key = new_key();
  key.requests_per_minute.reset();
  key.plan = "pro";
  key.limits = LimitList{};
  const std::string token = token_of(put(key));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/v1/tokens", token).status, 200);
  EXPECT_EQ(limiter_.size().keys, 0U);
  cost(1'000'000);
  EXPECT_EQ(ask_costly(token).status, 200);
  const auto plan = parse_json(get("/v1/plan", token).body);
  EXPECT_TRUE(plan->at("limits").as_array().empty());
}

TEST_F(LimitsTest, RefusesWhatCannotBeCounted) {
  put_plan({{"daily", 5, LimitPeriod{PeriodUnit::day, "Middle/Earth", 1}, LimitPer::key, LimitMode::enforce}});
  const std::string token = key_with_plan();
  const auto unknown = get("/v1/tokens", token);
  EXPECT_EQ(unknown.status, 503);
  EXPECT_EQ(type_of(unknown), "/problems/unknown-time-zone");
  put_plan({});
  EXPECT_EQ(type_of(get("/v1/tokens", token)), "/problems/no-limit");
  EXPECT_EQ(get("/v1/tokens", token).status, 403);
}

TEST_F(LimitsTest, AChangeOfThePlanKeepsTheCountAndHoldsAtOnce) {
  put_plan({window("ten", 5, 10)});
  const std::string token = key_with_plan();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get("/v1/tokens", token).status, 200);
  put_plan({window("ten", 4, 10)});
  EXPECT_EQ(get("/v1/tokens", token).status, 429);
  put_plan({window("ten", 6, 10)});
  EXPECT_EQ(get("/v1/tokens", token).header("RateLimit").substr(0, 9), "\"ten\";r=1");
}

TEST_F(LimitsTest, ThePlanShowsWhatIsLeftOfAll) {
  put_plan({daily(25), window("seen", 9, 1, LimitPer::user, LimitMode::observe)});
  const std::string token = key_with_plan({per_minute_limit(5)});
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
  for (int i = 0; i < 2; ++i) {
    const auto plan = parse_json(get("/v1/plan", token).body);
    EXPECT_EQ(plan->at("requestsPerMinute").as_int64(), 5);
    EXPECT_EQ(plan->at("remaining").as_int64(), 4);
    const auto& limits = plan->at("limits").as_array();
    ASSERT_EQ(limits.size(), 3U);
    EXPECT_EQ(limits[0].at("name").as_string(), "seen");
    EXPECT_EQ(limits[0].at("mode").as_string(), "observe");
    EXPECT_EQ(limits[0].at("remaining").as_int64(), 8);
    EXPECT_EQ(limits[1].at("name").as_string(), "per-minute");
    EXPECT_EQ(limits[2].at("period").as_string(), "day");
    EXPECT_EQ(limits[2].at("remaining").as_int64(), 24);
    EXPECT_EQ(limits[2].at("resetSeconds").as_int64(), 86400);
  }
}

}  // namespace
}  // namespace latchkey::tokens_service
