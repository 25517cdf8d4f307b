#pragma once

// The contract of ChangeFeed as tests. An engine passes by instantiating the suite with a way to make a FeedWorld: a
// store, a feed on it, and the accidents that may befall them.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "feed/change_feed.hpp"
#include "store/key_store.hpp"

namespace latchkey::feed {

class FeedWorld {
 public:
  virtual ~FeedWorld() = default;
  virtual store::KeyStore& store() = 0;
  virtual ChangeFeed& feed() = 0;
  /// Puts another feed in the place of feed(), as after a restart of the reader.
  virtual void reopen_feed() = 0;
  /// A backup of the store now; calling what it returns restores it in place.
  virtual std::function<void()> backup() = 0;
  /// Puts a new, empty store where the old one was.
  virtual void replace() = 0;
  virtual void make_unreachable() = 0;
  virtual void make_reachable() = 0;
  /// Loses change `seq` from the middle of the log.
  virtual void lose_change(Seq seq) = 0;
};

struct FeedEngine {
  std::string name;
  std::function<std::unique_ptr<FeedWorld>()> make;
};
inline void PrintTo(const FeedEngine& engine, std::ostream* out) { *out << engine.name; }

/// What a reader is to do with rows and changes, in its plainest form.
struct Replica final : SnapshotSink {
  std::map<KeyId, AccessKey> keys;
  std::map<std::string, std::pair<SigningKey, Version>> signing_keys;
  std::map<std::string, Plan> plans;
  std::map<std::string, User> users;
  std::function<void()> on_row = [] {};

  void access_key(const AccessKey& key) override;
  void signing_key(const SigningKey& key, Version version) override;
  void plan(const Plan& plan) override;
  void user(const User& user) override;
  void apply(const Change& change);
};

class ChangeFeedSuite : public testing::TestWithParam<FeedEngine> {
 protected:
  AccessKey new_key();
  AccessKey put(AccessKey key, const std::string& action = "create");
  void put_many(int count);
  /// Applies what there is after `position_`, which moves on.
  void catch_up();
  void expect_same_as_store();
  Position load();
  void expect_reload(Position after);

  store::KeyStore& store() { return world_->store(); }
  ChangeFeed& feed() { return world_->feed(); }

  std::unique_ptr<FeedWorld> world_ = GetParam().make();
  SystemRandom random_;
  SystemClock clock_;
  Replica replica_;
  Position position_;
  Nonce nonce_;  // Batch::head_nonce, as catch_up() saw it last
};

}  // namespace latchkey::feed
