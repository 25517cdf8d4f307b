#include "access/access_check.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <ostream>
#include <random>
#include <thread>

#include "jwt/admin_token.hpp"
#include "jwt/base64url.hpp"
#include "jwt/digest.hpp"
#include "jwt/memo_hash.hpp"
#include "limit/local/local_limiter.hpp"

namespace latchkey::access {
namespace {

using namespace std::chrono_literals;

/// The outcome in one word: a refusal's name, or "granted".
std::string word(const Outcome& outcome) {
  if (const auto* refused = std::get_if<Refused>(&outcome)) return std::string(to_string(refused->reason));
  return std::holds_alternative<Holder>(outcome) ? "granted" : "needs-signature";
}

struct Signer {
  jwt::Ed25519PrivateKey key = jwt::Ed25519PrivateKey::generate();
  std::string kid = jwt::thumbprint(key.public_key());
  SigningKey row(SigningKeyState state = SigningKeyState::signing) const {
    SigningKey signing_key;
    signing_key.kid = kid;
    signing_key.public_key = key.public_key();
    signing_key.state = state;
    return signing_key;
  }
};

class AccessCheckTest : public ::testing::Test {
 protected:
  AccessCheckTest() {
    key.id = KeyId::generate(clock.wall(), random);
    key.user_id = "alice";
    key.issued_at = {clock.wall().seconds()};
    view.apply(signer.row(), {++version});
    apply();
    refresh();
  }
  void apply() {
    key.version = {++version};
    view.apply(key);
  }
  void refresh() { view.advance({{1}, version}, clock.boot()); }
  std::string token(const Signer& by) const {
    return std::string(
        jwt::mint_access_token({key.id, key.user_id, key.issued_at, Role::user}, by.kid, by.key).reveal());
  }
  std::string token() const { return token(signer); }
  void rotate(std::optional<Duration> grace) {
    key.previous.reset();
    if (grace) key.previous = PreviousIssue{key.issued_at, clock.wall() + *grace};
    ++key.issued_at.seconds;
    apply();
  }
  Outcome decide(std::string_view text) const {
    auto outcome = access.check(text);
    return std::holds_alternative<NeedsSignature>(outcome) ? access.check_signature(text) : outcome;
  }
  /// Twice, since the second time may go by memory and must say the same.
  std::string verdict(std::string_view text) const {
    const std::string first = word(decide(text));
    EXPECT_EQ(word(decide(text)), first);
    return first;
  }

  SeededRandom random{7};
  ManualClock clock;
  Signer signer;
  view::View view;
  AccessCheck access{view, clock, {}};
  AccessKey key;
  std::uint64_t version = 0;
};

TEST_F(AccessCheckTest, GrantsByTheSignatureOnceAndByMemoryAfter) {
  key.expires_at = clock.wall() + 1h;
  key.requests_per_minute = 77;
  apply();
  EXPECT_EQ(word(access.check(token())), "needs-signature");
  EXPECT_EQ(word(access.check_signature(token())), "granted");
  const auto outcome = access.check(token());
  const auto* holder = std::get_if<Holder>(&outcome);
  ASSERT_NE(holder, nullptr);
  EXPECT_EQ(holder->key_id, key.id);
  EXPECT_EQ(holder->user_id(), "alice");
  EXPECT_EQ(holder->requests_per_minute, 77U);
  EXPECT_EQ(holder->expires_at, key.expires_at);
  EXPECT_EQ(holder->issued_at, key.issued_at);
  EXPECT_EQ(holder->version, key.version);
}

// What an earlier process proved stands in the row by its SHA-256 (view/memo_log.hpp).
TEST_F(AccessCheckTest, GrantsByWhatAnEarlierProcessProved) {
  const std::string text = token();
  {
    const decltype(view)::Reader reader(view);
    decltype(view)::Reader::remember(*reader.find(key.id), Issue::current, jwt::digest_of(text),
                                     *reader.usable_key(signer.kid));
  }
  for (int i = 0; i < 2; ++i) EXPECT_EQ(word(access.check(text)), "granted");
  std::string other = text;
  other.back() = other.back() == 'A' ? 'Q' : 'A';
  EXPECT_NE(word(access.check(other)), "granted");
  const decltype(view)::Reader reader(view);
  EXPECT_EQ(reader.recall(*reader.find(key.id), jwt::memo_hash_of(text)), Issue::current);
}

TEST_F(AccessCheckTest, RefusesByStatusInTheOrderOfPrecedence) {
  const std::string mine = token();
  EXPECT_EQ(verdict(mine), "granted");
  key.expires_at = clock.wall();  // shortened after issue
  apply();
  EXPECT_EQ(verdict(mine), "expired");
  key.disabled = true;
  apply();
  EXPECT_EQ(verdict(mine), "disabled");
  key.deleted = true;
  apply();
  EXPECT_EQ(verdict(mine), "deleted");
  const auto outcome = decide(mine);
  const auto& holder = std::get<Refused>(outcome).holder;
  ASSERT_TRUE(holder) << "the signature proved the key";
  EXPECT_EQ(holder->key_id, key.id);
  EXPECT_EQ(holder->user_id(), key.user_id);
}

TEST_F(AccessCheckTest, ADisabledUserIsRefusedBetweenStatusAndExpiry) {
  const std::string mine = token();
  EXPECT_EQ(verdict(mine), "granted");
  User user;
  user.user_id = key.user_id;
  user.version = {1000};
  user.disabled = true;
  view.apply(user);
  EXPECT_EQ(verdict(mine), "user-disabled") << "remembered before the user was disabled";
  key.expires_at = clock.wall();
  apply();
  EXPECT_EQ(verdict(mine), "user-disabled");
  key.disabled = true;
  apply();
  EXPECT_EQ(verdict(mine), "disabled");
  key.disabled = false;
  key.expires_at.reset();
  apply();
  user.version = {1001};
  user.disabled = false;
  view.apply(user);
  EXPECT_EQ(verdict(mine), "granted");
  user.version = {1002};
  user.disabled = user.deleted = true;
  view.apply(user);
  EXPECT_EQ(verdict(mine), "granted") << "a deleted user is no user";
}

TEST_F(AccessCheckTest, ExpiresWhileRemembered) {
  key.expires_at = clock.wall() + 10s;
  apply();
  EXPECT_EQ(verdict(token()), "granted");
  clock.advance(9'999ms);
  EXPECT_EQ(verdict(token()), "granted");
  clock.advance(1ms);
  EXPECT_EQ(verdict(token()), "expired");
}

TEST_F(AccessCheckTest, RotationWithoutGraceEndsTheTokenBefore) {
  const std::string before = token();
  EXPECT_EQ(verdict(before), "granted");
  rotate(std::nullopt);
  EXPECT_EQ(verdict(before), "rotated");
  EXPECT_EQ(verdict(token()), "granted");
  EXPECT_NE(word(access.check(before)), "needs-signature") << "a rotated-out token is cheap to refuse";
}

TEST_F(AccessCheckTest, GraceEndsForARememberedToken) {
  const std::string before = token();
  EXPECT_EQ(verdict(before), "granted");
  rotate(10s);
  EXPECT_EQ(verdict(before), "granted");
  EXPECT_EQ(verdict(token()), "granted");
  clock.advance(9'999ms);
  EXPECT_EQ(verdict(before), "granted");
  clock.advance(1ms);
  EXPECT_EQ(verdict(before), "rotated");
  EXPECT_EQ(verdict(token()), "granted");
}

TEST_F(AccessCheckTest, ATwiceRotatedTokenIsOutWhateverTheGrace) {
  const std::string first = token();
  EXPECT_EQ(verdict(first), "granted");
  rotate(10s);
  EXPECT_EQ(verdict(first), "granted");
  rotate(10s);
  EXPECT_EQ(verdict(first), "rotated");
}

TEST_F(AccessCheckTest, ATokenOfAnotherUserIsNotThisRows) {
  AccessKey mine = key;
  key.user_id = "mallory";
  const std::string hers = token();
  EXPECT_EQ(verdict(hers), "rotated");
  key = mine;
  EXPECT_EQ(verdict(token()), "granted");
}

TEST_F(AccessCheckTest, ExpectingChangesNothing) {
  const std::string mine = token();
  const std::vector<std::string> texts(70, "no.token.at all");
  std::vector<std::string_view> tokens(texts.begin(), texts.end());
  tokens.insert(tokens.begin(), {mine, "", mine});
  limit::LocalLimiter limiter(clock);
  for (const auto expected : {std::span<const std::string_view>(), std::span<const std::string_view>(tokens)}) {
    access.expect(expected, limiter);
  }
  EXPECT_EQ(verdict(mine), "granted");
  EXPECT_EQ(limiter.size().keys, 0U);
}

TEST_F(AccessCheckTest, UnknownKeysAreRefusedBeforeAnySignatureWork) {
  key.id = KeyId::generate(clock.wall(), random);
  EXPECT_EQ(word(access.check(token())), "unknown-key") << "not yet replicated";
  EXPECT_FALSE(std::get<Refused>(access.check(token())).holder);
  apply();
  EXPECT_EQ(verdict(token()), "granted");
  const Signer stranger;
  EXPECT_EQ(word(access.check(token(stranger))), "unknown-key");
}

TEST_F(AccessCheckTest, RetiringASigningKeyEndsItsRememberedTokens) {
  const Signer next;
  view.apply(next.row(), {++version});
  view.apply(signer.row(SigningKeyState::verifying), {++version});
  const std::string by_old = token();
  EXPECT_EQ(verdict(by_old), "granted");
  view.apply(signer.row(SigningKeyState::retired), {++version});
  EXPECT_EQ(verdict(by_old), "unknown-key");
  EXPECT_EQ(verdict(token(next)), "granted");
}

TEST_F(AccessCheckTest, BadSignaturesNameNoKeyAndLeaveMemoryAlone) {
  const std::string good = token();
  EXPECT_EQ(verdict(good), "granted");
  std::string bad = good;
  bad[bad.size() - 10] = bad[bad.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(verdict(bad), "bad-signature");
  EXPECT_FALSE(std::get<Refused>(decide(bad)).holder);
  EXPECT_EQ(word(access.check(good)), "granted");
  Signer forger;
  forger.kid = signer.kid;
  EXPECT_EQ(verdict(token(forger)), "bad-signature");
}

TEST_F(AccessCheckTest, ShapesAreRefusedWhateverTheViewsAge) {
  const auto admin = jwt::mint_admin_token({"ops", jwt::AdminRole::admin, "", "", clock.wall(), 1h}, signer.key);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(verdict(admin.reveal()), "wrong-kind");
    for (const std::string& text : {std::string(), std::string("x"), std::string(".."), token() + "=", token() + ".x",
                                    token().substr(0, token().size() - 1), std::string(100'000, '.'),
                                    token() + std::string(jwt::max_token_bytes, 'A')}) {
      EXPECT_EQ(verdict(text), "malformed") << text.substr(0, 60);
    }
    clock.advance(1h);  // the second round is on a stale view
  }
  EXPECT_EQ(verdict(token()), "stale-view");
}

TEST_F(AccessCheckTest, AStaleViewDecidesNothing) {
  const std::string mine = token();
  EXPECT_EQ(verdict(mine), "granted");
  clock.advance(30s);
  EXPECT_EQ(verdict(mine), "granted");
  clock.advance(1ms);
  EXPECT_EQ(verdict(mine), "stale-view");
  EXPECT_EQ(access.readiness(), Readiness::stale);
  refresh();
  EXPECT_EQ(verdict(mine), "granted");
  view.reset();
  EXPECT_EQ(verdict(mine), "stale-view") << "a reload is no reason to call a key unknown";
  EXPECT_EQ(word(access.check_signature(mine)), "stale-view");
}

// --- against a naive model -------------------------------------------------------------------------------------------

/// The same contract without any memory: a map, and a full verification each time.
struct NaiveModel {
  std::map<KeyId, AccessKey> keys;
  std::map<std::string, SigningKey> signing_keys;

  std::string verdict(std::string_view text, UnixMillis now) const {
    const auto parsed = jwt::parse_access_token(text);
    if (!parsed) return "malformed";
    const auto signing_key = signing_keys.find(parsed->kid);
    const auto found = keys.find(parsed->claims.key_id);
    if (signing_key == signing_keys.end() || signing_key->second.state == SigningKeyState::retired ||
        found == keys.end()) {
      return "unknown-key";
    }
    if (!jwt::verify(*parsed, signing_key->second.public_key)) return "bad-signature";
    const AccessKey& key = found->second;
    const bool current = parsed->claims.issued_at == key.issued_at;
    const bool in_grace =
        key.previous && parsed->claims.issued_at == key.previous->issued_at && now < key.previous->valid_until;
    if (parsed->claims.user_id != key.user_id || (!current && !in_grace)) return "rotated";
    const KeyStatus status = status_of(key, now);
    return status == KeyStatus::active ? "granted" : std::string(to_string(status));
  }
};

TEST_F(AccessCheckTest, DecidesAsANaiveModelOverRandomHistories) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 dice(seed);
  const Signer signers[] = {{}, {}};
  NaiveModel model;
  std::vector<AccessKey> keys(4);
  std::vector<std::string> tokens;
  const auto publish = [&](AccessKey& one) {
    key = one;
    apply();
    one = model.keys[one.id] = key;
    if (tokens.empty() || dice() % 2 == 0) tokens.push_back(token(signers[dice() % 2]));
  };
  const auto publish_signer = [&](const Signer& one, SigningKeyState state) {
    view.apply(model.signing_keys[one.kid] = one.row(state), {++version});
  };
  for (const auto& one : signers) publish_signer(one, SigningKeyState::verifying);
  for (auto& one : keys) {
    one = key;
    one.id = KeyId::generate(clock.wall(), random);
    publish(one);
  }
  for (int turn = 0; turn < 1500; ++turn) {
    AccessKey& one = keys[dice() % keys.size()];
    switch (dice() % 12) {
      case 0:
        if (dice() % 2 == 0)
          one.previous = PreviousIssue{one.issued_at, clock.wall() + 3s};
        else
          one.previous.reset();
        ++one.issued_at.seconds;
        break;
      case 1:
        one.disabled = !one.disabled;
        break;
      case 2:
        one.expires_at = clock.wall() + std::chrono::seconds(dice() % 5);
        break;
      case 3:
        one.expires_at.reset();
        break;
      case 4:
        one.requests_per_minute = static_cast<std::uint32_t>(1 + dice() % 100);
        break;
      case 5:
        clock.advance(700ms);
        break;
      case 6:
        publish_signer(signers[dice() % 2], dice() % 3 == 0 ? SigningKeyState::retired : SigningKeyState::verifying);
        break;
      case 7:
        one.user_id = dice() % 4 == 0 ? "bob" : "alice";
        break;
      default:
        break;
    }
    publish(one);
    refresh();
    for (int i = 0; i < 2; ++i) {
      std::string asked = tokens[tokens.size() - 1 - dice() % std::min<std::size_t>(tokens.size(), 12)];
      if (dice() % 20 == 0) asked[asked.size() - 20] ^= 1;
      ASSERT_EQ(word(decide(asked)), model.verdict(asked, clock.wall())) << "turn " << turn;
    }
  }
}

// --- beside the writer -----------------------------------------------------------------------------------------------

TEST_F(AccessCheckTest, ARevocationHoldsFromTheMomentThePositionShowsIt) {
  const std::string mine = token();
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> wrong{0}, checks{0};
  // Odd turns leave the key enabled, even ones disabled; `settled` is odd or even while nothing is being changed.
  std::atomic<std::uint64_t> settled{1}, begun{1};
  const auto reader = [&] {
    while (!done) {
      const std::uint64_t before = settled;
      const std::string said = word(decide(mine));
      const bool still = begun == before && settled == before;
      if (still && said != (before % 2 == 1 ? "granted" : "disabled")) ++wrong;
      if (said != "granted" && said != "disabled") ++wrong;
      ++checks;
    }
  };
  std::thread first(reader), second(reader);
  for (std::uint64_t turn = 2; turn < 3000 || checks < 500; ++turn) {
    begun = turn;
    key.disabled = turn % 2 == 0;
    apply();
    refresh();
    settled = turn;
    if (turn % 64 == 0) std::this_thread::yield();
  }
  done = true;
  first.join();
  second.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace latchkey::access
