#pragma once

// The contract of KeyStore as tests. An engine passes by instantiating the suite with a way to make an empty store:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, KeyStoreSuite, testing::Values(StoreEngine{"memory", make}));

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "store/key_store.hpp"

namespace latchkey::store {

struct StoreEngine {
  std::string name;
  /// A new, empty store and whatever it needs to live, released with it.
  std::function<std::shared_ptr<KeyStore>(Clock&, Random&)> make;
};
inline void PrintTo(const StoreEngine& engine, std::ostream* out) { *out << engine.name; }

class KeyStoreSuite : public testing::TestWithParam<StoreEngine> {
 protected:
  /// A valid key, made at the clock's time; ids follow one another.
  AccessKey new_key(const std::string& user_id = "alice");
  SigningKey new_signing_key(char first_letter);
  /// Puts it in a transaction of its own; returns it as stored.
  AccessKey put(AccessKey key, const std::string& action = "create");
  std::vector<KeyId> ids_of(const KeyPageRequest& request);
  KeyPageRequest page(KeyFilter filter = {}, std::size_t limit = 50) { return {std::move(filter), limit, {}, now()}; }
  UnixMillis now() const { return clock_.wall(); }

  ManualClock clock_;
  SeededRandom random_{20260101};
  std::shared_ptr<KeyStore> store_ = GetParam().make(clock_, random_);
  SeededRandom key_random_{7};
};

}  // namespace latchkey::store
