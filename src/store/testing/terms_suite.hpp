#pragma once

// The contract of KeyStore for plans, users and keys that refer to them, as tests; see store/testing/key_store_suite.hpp.

#include <optional>
#include <string>
#include <vector>

#include "store/testing/key_store_suite.hpp"

namespace latchkey::store {

inline LimitSpec monthly() {
  return {"monthly", 10'000, LimitPeriod{PeriodUnit::month, "Europe/Berlin", 31}, LimitPer::user, LimitMode::observe};
}

class TermsSuite : public KeyStoreSuite {
 protected:
  Plan new_plan(const std::string& name, LimitList limits = {per_minute_limit(60)}) {
    clock_.advance(std::chrono::milliseconds(1));
    return {name, "für \"alle\"", std::move(limits), R"({"a":1.0})", false, now(), now(), "ops", {}};
  }
  User new_user(const std::string& id) {
    clock_.advance(std::chrono::milliseconds(1));
    return {id, std::nullopt, {}, false, "{}", false, now(), now(), "ops", {}};
  }
  AccessKey inheriting_key(const std::string& user_id, std::optional<std::string> plan = {}) {
    AccessKey key = new_key(user_id);
    key.requests_per_minute.reset();
    key.plan = std::move(plan);
    return key;
  }
  Plan put_plan(Plan plan, const char* action = "plan-create") {
    in_transaction([&](Transaction& transaction) { plan.version = *transaction.put_plan(plan, action); });
    return plan;
  }
  User put_user(User user, const char* action = "user-create") {
    in_transaction([&](Transaction& transaction) { user.version = *transaction.put_user(user, action); });
    return user;
  }
  template <class Use>
  void in_transaction(Use use) {
    const auto done = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
      use(transaction);
      return {};
    });
    EXPECT_TRUE(done) << done.error().internal;
  }
  std::vector<KeyId> without_limit(const TermsScope& scope, std::size_t most = 10) {
    std::vector<KeyId> ids;
    in_transaction([&](Transaction& transaction) { ids = *transaction.keys_without_limit(scope, most); });
    return ids;
  }
  std::vector<KeyId> past_limits(const TermsScope& scope, std::size_t most = 10) {
    std::vector<KeyId> ids;
    in_transaction([&](Transaction& transaction) { ids = *transaction.keys_past_limits(scope, most); });
    return ids;
  }
};

}  // namespace latchkey::store
