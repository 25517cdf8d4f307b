#pragma once

// For tests: what was seen of a log, and that it stays true: a position names one change, for ever.

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "feed/testing/change_feed_suite.hpp"

namespace latchkey::feed {

class ShownHistory {
 public:
  /// Looks at the whole log, as a client of the store and as a replica. Both must agree with all that was seen before.
  void look(FeedWorld& world) {
    look_at_store(world.store());
    look_at_feed(world);
  }
  /// As a client of the store only.
  void look_at_store(store::KeyStore& store) {
    for (;;) {
      const auto before = store.position();
      const auto changes = store.changes_after(Seq{0}, 1000);
      const auto after = store.position();
      const bool one_life = before && changes && after && before->epoch == after->epoch;
      if (!one_life) {  // it has just found out that it was put back
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      for (const auto& change : *changes) saw({before->epoch, change.seq}, change.nonce, "the store");
      return;
    }
  }
  /// As a replica only, which loads anew where it must and has then seen what comes after.
  void look_at_feed(FeedWorld& world) {
    if (position_.epoch == Epoch()) load(world);
    for (;;) {
      const auto batch = world.feed().next(position_, std::chrono::milliseconds(0));
      if (!batch && batch.error().kind == FeedError::Kind::reload) load(world);
      if (!batch) continue;
      for (const auto& change : batch->changes) saw({position_.epoch, change.seq}, change.nonce, "the feed");
      position_ = batch->head;
      if (batch->changes.empty() && position_.seq != Seq{}) saw(position_, batch->head_nonce, "the feed's end");
      if (batch->changes.empty() && !batch->more) return;
    }
  }

 private:
  void load(FeedWorld& world) {
    Replica replica;
    auto loaded = world.feed().load(replica);
    while (!loaded) loaded = world.feed().load(replica);
    position_ = *loaded;
  }
  void saw(Position position, Nonce nonce, const char* where) {
    const auto [at, first] = seen_.emplace(std::pair(position.epoch, position.seq), nonce);
    EXPECT_EQ(at->second, nonce) << where << ": " << position.to_string() << " was another change";
  }

  std::map<std::pair<Epoch, Seq>, Nonce> seen_;
  Position position_;
};

}  // namespace latchkey::feed
