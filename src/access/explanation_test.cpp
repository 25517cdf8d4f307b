#include "access/explanation.hpp"

#include <gtest/gtest.h>

#include "key/request_id.hpp"

namespace latchkey::access {
namespace {

const std::string id = "0123456789abcdeffedcba9876543210";

std::string line_of(std::string_view outcome) {
  return R"({"time":"2026-01-01T00:00:00.000Z","keyId":"0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d","userId":"alice",)"
         R"("method":"GET","path":"/v1/authorize","outcome":")" +
         std::string(outcome) +
         R"(","status":429,"latencyMicros":7,"client":"192.0.2.9","plan":"pro","cost":5,"originalMethod":"POST",)"
         R"("originalPath":"/orders/7","requestId":")" +
         id + R"(","position":"00c0ffee00c0ffee.42","rule":"reports","limits":["per-minute","daily"],"retryAfter":12})";
}

TEST(Explanation, NamesWhatDecidesForEveryReason) {
  struct Row {
    Refusal refusal;
    const char* decided_by;
    bool timed;
  };
  using enum Refusal;
  constexpr Row rows[] = {{no_rule, "table of rules", false},
                          {ambiguous_path, "table of rules", false},
                          {original_request_unknown, "table of rules", false},
                          {no_credentials, "request itself", false},
                          {ambiguous, "request itself", false},
                          {malformed, "request itself", false},
                          {wrong_kind, "request itself", false},
                          {wrong_role, "request itself", false},
                          {unknown_key, "signing keys and key ids", false},
                          {bad_signature, "signing key that", false},
                          {rotated, "row of the key", true},
                          {deleted, "row of the key", false},
                          {disabled, "row of the key", false},
                          {user_disabled, "row of the user", false},
                          {expired, "row of the key", true},
                          {network_not_allowed, "networks of", false},
                          {insufficient_scope, "scopes of", false},
                          {no_limit, "rows of the key, its user and its plan", false},
                          {cost_exceeds_limit, "limits in force", false},
                          {rate_limited, "limits in force", true},
                          {quota_exceeded, "limits in force", true},
                          {stale_view, "state of the replica", true},
                          {overloaded, "state of the replica", false},
                          {limiter_unavailable, "state of the replica", true},
                          {limiter_full, "state of the replica", false},
                          {unknown_time_zone, "limits in force", false},
                          {limit_not_enforced, "limits in force", false}};
  static_assert(std::size(rows) == refusal_count);
  for (std::size_t i = 0; i < refusal_count; ++i) {
    EXPECT_EQ(static_cast<std::size_t>(rows[i].refusal), i);
    const auto record = read_refused(line_of(to_string(rows[i].refusal)));
    ASSERT_TRUE(record);
    const std::string words = explain(*record);
    EXPECT_NE(words.find("Decided by the " + std::string(rows[i].decided_by).substr(0)), std::string::npos) << words;
    EXPECT_EQ(words.find("Clock: ") != std::string::npos, rows[i].timed) << words;
    for (const char* part : {"00c0ffee00c0ffee.42", "per-minute, daily", "POST /orders/7", "192.0.2.9", "alice", "pro",
                             "After 12 s", "rule reports", "cost of 5", "What to do: "}) {
      EXPECT_NE(words.find(part), std::string::npos) << part << " in " << words;
    }
  }
}

TEST(Explanation, WhatIsNotOfARefusalIsNone) {
  EXPECT_FALSE(read_refused(R"({"time":"2026-01-01T00:00:00.000Z","outcome":"admitted","status":200})"));
  EXPECT_FALSE(read_refused("half a li"));
  EXPECT_FALSE(read_refused(R"({"requestId":"short"})"));
  EXPECT_NE(explain(*read_refused(R"({"requestId":")" + id + R"(","outcome":"of-the-future"})")).find("no such reason"),
            std::string::npos);
  EXPECT_NE(explain(*read_refused(line_of("position-not-reached"))).find("Latchkey-At-Least"), std::string::npos);
}

}  // namespace
}  // namespace latchkey::access
