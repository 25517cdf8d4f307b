#include "micro/world.hpp"

#include "jwt/digest.hpp"
#include "jwt/ed25519.hpp"
#include "jwt/memo_hash.hpp"
#include "sample/sample_keys.hpp"

namespace latchkey::bench {

World::World(std::uint64_t count) : keys(count) {
  SigningKey signing;
  signing.public_key = jwt::Ed25519PrivateKey::generate().public_key();
  signing.kid = kid = jwt::thumbprint(signing.public_key);
  view.apply(signing, {1});
  for (std::uint64_t number = 0; number < keys; ++number) {
    AccessKey key = sample_key(number);
    key.version = {number + 2};
    view.apply(key);
    const view::View::Reader reader(view);
    reader.remember(*reader.find(key.id), Issue::current, jwt::memo_hash_of(unsigned_token(number, kid)),
                    *reader.usable_key(kid));
    limiter.try_admit(key.id, {.requests_per_minute = key.requests_per_minute, .version = key.version});
  }
  view.advance({{1}, keys + 1}, clock.boot());
}

World& World::of(std::uint64_t count) {
  static std::unique_ptr<World> world;
  if (!world || world->keys != count) {
    world.reset();
    world = std::make_unique<World>(count);
  }
  return *world;
}

std::vector<std::string> World::random_tokens(std::size_t count, std::uint64_t remainder, std::uint64_t of) {
  std::vector<std::string> tokens;
  tokens.reserve(count);
  const std::uint64_t share = std::max<std::uint64_t>(keys / of, 1);
  while (tokens.size() < count) tokens.push_back(unsigned_token(mix(++drawn_) % share * of + remainder, kid));
  return tokens;
}

}  // namespace latchkey::bench
