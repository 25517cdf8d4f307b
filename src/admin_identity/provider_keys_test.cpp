#include "admin_identity/provider_keys.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "jwt/ed25519.hpp"

namespace latchkey::admin_identity {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds pause{30};

/// A provider that answers as the test says; a verifier that holds the keys.
class ProviderKeysTest : public ::testing::Test {
 protected:
  ProviderKeys::Source source() {
    return {"provider",
            [this]() -> Result<std::string> {
              ++fetches_;
              const std::lock_guard lock(mutex_);
              if (text_.empty()) return Error(ErrorCode::unavailable, "it is down");
              return text_;
            },
            [this](std::string_view text) -> Result<jwt::AdminKeys> {
              ++reads_;
              if (text == "broken") return Error(ErrorCode::invalid, "it is broken");
              jwt::AdminKeys keys;
              EXPECT_TRUE(keys.add_public_key(key_.public_key()));
              return keys;
            }};
  }
  RenewalTimes times() const { return {pause, pause * 4, std::chrono::hours(1), std::chrono::hours(24)}; }
  void say(std::string text) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
  }
  /// Asks for new keys and waits until it is told.
  void renew(ProviderKeys& keys) {
    std::promise<void> told;
    ASSERT_TRUE(keys.when_renewed([&told] { told.set_value(); }));
    told.get_future().wait();
  }

  const jwt::Ed25519PrivateKey key_ = jwt::Ed25519PrivateKey::generate();
  const SystemClock clock_;
  jwt::AdminVerifier verifier_{{}, {}};
  std::mutex mutex_;
  std::string text_ = "keys";
  std::atomic<int> fetches_{0}, reads_{0};
};

TEST_F(ProviderKeysTest, FetchesByItselfAndWhenAsked) {
  ProviderKeys keys(source(), verifier_, clock_, times());
  renew(keys);
  EXPECT_TRUE(keys.usable());
  const auto generation = verifier_.generation();
  renew(keys);
  EXPECT_EQ(verifier_.generation(), generation) << "the same keys: what was verified stays so";
  EXPECT_EQ(reads_, 1);
  say("other keys");
  renew(keys);
  EXPECT_EQ(verifier_.generation(), generation + 1);
}

TEST_F(ProviderKeysTest, KeepsTheKeysOfBeforeWhileTheProviderIsDownOrBroken) {
  ProviderKeys keys(source(), verifier_, clock_, times());
  renew(keys);
  const auto generation = verifier_.generation();
  for (const char* text : {"", "broken"}) {
    say(text);
    renew(keys);
    EXPECT_TRUE(keys.usable());
    EXPECT_EQ(verifier_.generation(), generation);
  }
}

TEST_F(ProviderKeysTest, IsNotUsableBeforeTheFirstGoodFetch) {
  say("");
  ProviderKeys keys(source(), verifier_, clock_, times());
  renew(keys);
  EXPECT_FALSE(keys.usable());
  say("keys");
  while (!keys.usable()) std::this_thread::yield();  // by itself
}

TEST_F(ProviderKeysTest, PausesWhateverIsAsked) {
  const auto begun = clock_.boot();
  {
    ProviderKeys keys(source(), verifier_, clock_, times());
    for (int i = 0; i < 5; ++i) renew(keys);
  }
  EXPECT_LE(fetches_, 1 + (clock_.boot() - begun) / pause);
}

TEST_F(ProviderKeysTest, LetsABoundedNumberWaitAndForgetsNobody) {
  std::atomic<int> told{0};
  std::size_t taken = 0;
  {
    RenewalTimes slow = times();
    slow.least_pause = std::chrono::hours(1);
    ProviderKeys keys(source(), verifier_, clock_, slow);
    while (!keys.usable()) std::this_thread::yield();
    for (std::size_t i = 0; i < ProviderKeys::most_waiting + 10; ++i)
      taken += keys.when_renewed([&told] { ++told; }) ? 1 : 0;
    EXPECT_EQ(taken, ProviderKeys::most_waiting);
    EXPECT_EQ(told, 0);
  }
  EXPECT_EQ(told, taken) << "at its end";
}

}  // namespace
}  // namespace latchkey::admin_identity
