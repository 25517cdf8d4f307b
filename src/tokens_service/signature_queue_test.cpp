#include "tokens_service/signature_queue.hpp"

#include <atomic>
#include <future>
#include <semaphore>

#include "tokens_service/testing/service_suite.hpp"

namespace latchkey::tokens_service {
namespace {

/// With one worker, which a test can hold up by what it does when an outcome comes.
class SignatureQueueTest : public ServiceFixture {
 protected:
  /// The worker stands still until release() is called.
  void hold_up() {
    const AccessKey key = new_key();
    const bool taken = queue_.submit(key.id, token_of(key), [this](const access::Outcome&) {
      standing_.release();
      released_.acquire();
    });
    ASSERT_TRUE(taken);
    standing_.acquire();
  }
  void release() { released_.release(); }
  std::string forged(const AccessKey& key) const { return token_of(key, jwt::Ed25519PrivateKey::generate()); }
  bool submit(const std::string& token) {
    return queue_.submit(jwt::parse_access_token(token)->claims.key_id, token, [this](const access::Outcome& outcome) {
      (std::holds_alternative<access::Holder>(outcome) ? granted_ : refused_)++;
      answered_.release();
    });
  }
  void wait_for(int answers) {
    for (int i = 0; i < answers; ++i) answered_.acquire();
  }

  std::binary_semaphore standing_{0}, released_{0};
  std::counting_semaphore<> answered_{0};
  std::atomic<int> granted_{0}, refused_{0};
  SignatureQueue queue_{check_, {.threads = 1, .max_tokens = 6, .max_requests_per_token = 100}};
};

TEST_F(SignatureQueueTest, TheSameTokenIsVerifiedOnceForAllWhoWait) {
  const std::string token = token_of(new_key());
  hold_up();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(submit(token));
  EXPECT_FALSE(submit(token));
  EXPECT_EQ(queue_.waiting(), 1U);
  release();
  wait_for(100);
  EXPECT_EQ(granted_, 100);
}

TEST_F(SignatureQueueTest, OneKeyIdCannotFillIt) {
  const AccessKey victim = new_key();
  const AccessKey other = new_key();
  hold_up();
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(submit(forged(victim)));
  EXPECT_FALSE(submit(forged(victim)));
  EXPECT_TRUE(submit(token_of(other))) << "the last of the longest line makes room";
  wait_for(1);
  EXPECT_EQ(refused_, 1) << "and is told so at once";
  EXPECT_EQ(queue_.waiting(), 6U);
  release();
  wait_for(6);
  EXPECT_EQ(granted_, 1);
  EXPECT_EQ(refused_, 6);
}

TEST_F(SignatureQueueTest, KeyIdsTakeTurns) {
  const AccessKey victim = new_key();
  hold_up();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(submit(forged(victim)));
  std::atomic<int> refused_before = -1;
  const AccessKey other = new_key();
  EXPECT_TRUE(queue_.submit(other.id, token_of(other), [&](const access::Outcome&) {
    refused_before = refused_.load();
    answered_.release();
  }));
  release();
  wait_for(5);
  EXPECT_EQ(refused_before, 1) << "the fifth to come was the second";
}

TEST_F(SignatureQueueTest, TheOwnerWaitsBehindForgersAndIsLetIn) {
  const AccessKey victim = new_key();
  hold_up();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(submit(forged(victim)));
  EXPECT_TRUE(submit(token_of(victim)));
  release();
  wait_for(6);
  EXPECT_EQ(granted_, 1);
  EXPECT_EQ(refused_, 5);
}

TEST_F(SignatureQueueTest, IsBoundedOverAllKeys) {
  hold_up();
  std::vector<AccessKey> keys;
  for (int i = 0; i < 7; ++i) keys.push_back(new_key());
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(submit(token_of(keys[static_cast<std::size_t>(i)])));
  EXPECT_FALSE(submit(token_of(keys[6])));
  release();
  wait_for(6);
  EXPECT_EQ(granted_, 6);
}

}  // namespace
}  // namespace latchkey::tokens_service
