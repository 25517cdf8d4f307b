#include "access/refusal_problem.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace latchkey::access {
namespace {

struct Row {
  Refusal refusal;
  int status;
  std::string_view type;
  std::string_view header_lines;
};

constexpr std::string_view invalid = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
constexpr std::string_view scope = "WWW-Authenticate: Bearer error=\"insufficient_scope\"\r\n";
constexpr std::string_view retry = "Retry-After: 1\r\n";

TEST(RefusalProblem, IsTheContractsTable) {
  const std::vector<Row> table = {
      {Refusal::no_rule, 403, "/problems/no-rule", ""},
      {Refusal::ambiguous_path, 403, "/problems/ambiguous-path", ""},
      {Refusal::original_request_unknown, 403, "/problems/original-request-unknown", ""},
      {Refusal::no_credentials, 401, "/problems/no-credentials", "WWW-Authenticate: Bearer\r\n"},
      {Refusal::ambiguous, 400, "/problems/ambiguous-credentials", ""},
      {Refusal::malformed, 401, "/problems/invalid-token", invalid},
      {Refusal::wrong_kind, 403, "/problems/wrong-kind", scope},
      {Refusal::wrong_role, 403, "/problems/wrong-role", scope},
      {Refusal::unknown_key, 401, "/problems/invalid-token", invalid},
      {Refusal::bad_signature, 401, "/problems/invalid-token", invalid},
      {Refusal::rotated, 401, "/problems/key-rotated", invalid},
      {Refusal::deleted, 401, "/problems/key-deleted", invalid},
      {Refusal::disabled, 401, "/problems/key-disabled", invalid},
      {Refusal::user_disabled, 401, "/problems/user-disabled", invalid},
      {Refusal::expired, 401, "/problems/key-expired", invalid},
      {Refusal::network_not_allowed, 403, "/problems/network-not-allowed", ""},
      {Refusal::insufficient_scope, 403, "/problems/insufficient-scope", scope},
      {Refusal::no_limit, 403, "/problems/no-limit", ""},
      {Refusal::cost_exceeds_limit, 403, "/problems/cost-exceeds-limit", ""},
      {Refusal::rate_limited, 429, "/problems/rate-limited", ""},
      {Refusal::quota_exceeded, 429, "/problems/quota-exceeded", ""},
      {Refusal::stale_view, 503, "/problems/stale-view", retry},
      {Refusal::overloaded, 503, "/problems/overloaded", retry},
      {Refusal::limiter_unavailable, 503, "/problems/limiter-unavailable", retry},
      {Refusal::limiter_full, 503, "/problems/limiter-full", retry},
      {Refusal::unknown_time_zone, 503, "/problems/unknown-time-zone", retry},
      {Refusal::limit_not_enforced, 503, "/problems/limit-not-enforced", retry}};
  ASSERT_EQ(table.size(), refusal_count);
  for (const auto& row : table) {
    const auto& answer = answer_of(row.refusal);
    EXPECT_EQ(answer.status, row.status) << row.type;
    EXPECT_EQ(answer.content_type, "application/problem+json");
    EXPECT_EQ(answer.header_lines, row.header_lines) << row.type;
    const auto body = parse_json(answer.body);
    ASSERT_TRUE(body) << answer.body;
    EXPECT_EQ(body->at("type").as_string(), row.type);
    EXPECT_EQ(body->at("status").as_int64(), row.status);
    EXPECT_FALSE(body->at("detail").as_string().empty());
  }
}

TEST(RefusalProblem, WhatComesBeforeAGoodSignatureCannotBeToldApart) {
  EXPECT_EQ(answer_of(Refusal::malformed).body, answer_of(Refusal::unknown_key).body);
  EXPECT_EQ(answer_of(Refusal::malformed).body, answer_of(Refusal::bad_signature).body);
}

}  // namespace
}  // namespace latchkey::access
