// latchkey-micro: what one step of a request costs, by how many keys there are (Google Benchmark).

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>

#include "jwt/access_token.hpp"
#include "jwt/digest.hpp"
#include "jwt/memo_hash.hpp"
#include "micro/world.hpp"
#include "sample/sample_keys.hpp"

namespace latchkey::bench {
namespace {

using benchmark::State;

constexpr std::size_t batch = 512;  // tokens made at a time, outside the clock; they stay in the cache, as a request is

/// Calls `step(token)` for tokens of random keys; `of`: see World::random_tokens().
template <class Step>
void each_token(State& state, World& world, Step step, std::uint64_t remainder = 0, std::uint64_t of = 1) {
  std::vector<std::string> tokens = world.random_tokens(batch, remainder, of);
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (next == tokens.size()) {
      state.PauseTiming();
      tokens = world.random_tokens(batch, remainder, of);
      next = 0;
      state.ResumeTiming();
    }
    step(tokens[next++]);
  }
}

// The whole access check: token, view, limiter, clock.
void admit(World& world, const std::string& token) {
  const auto outcome = world.check.check(token, &world.limiter);
  const auto& holder = std::get<access::Holder>(outcome);
  const auto decision = world.limiter.try_admit(holder.key_id, {holder.requests_per_minute, holder.version});
  if (!decision->admitted) throw std::runtime_error("a warm key was refused");
}

void access_hit(State& state) {
  World& world = World::of(static_cast<std::uint64_t>(state.range(0)));
  each_token(state, world, [&](const std::string& token) { admit(world, token); });
}

// A well-formed token whose key id the view does not know.
void access_miss(State& state) {
  World& world = World::of(static_cast<std::uint64_t>(state.range(0)));
  std::vector<std::string> unknown;
  for (std::uint64_t i = 0; i < batch; ++i) unknown.push_back(unsigned_token(world.keys + i, world.kid));
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(world.check.check(unknown[next++ % batch]));
}

void access_threads(State& state) {
  const auto threads = static_cast<std::uint64_t>(state.threads());
  const auto own = static_cast<std::uint64_t>(state.thread_index());
  static std::mutex one_at_a_time;  // while the world is made and tokens are drawn
  std::unique_lock lock(one_at_a_time);
  World& world = World::of(static_cast<std::uint64_t>(state.range(0)));
  const std::vector<std::string> tokens = world.random_tokens(16 * batch, own, threads);
  lock.unlock();
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) admit(world, tokens[next++ % tokens.size()]);
}

void limiter(State& state) {
  World& world = World::of(static_cast<std::uint64_t>(state.range(0)));
  std::uint64_t i = 0;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(world.limiter.try_admit(sample_id(mix(++i) % world.keys), {1'000'000, 1}));
  }
}

void view_apply(State& state) {
  World& world = World::of(static_cast<std::uint64_t>(state.range(0)));
  static std::uint64_t version = std::uint64_t{1} << 40U;  // newer than any row
  AccessKey key = sample_key(0);
  std::uint64_t i = 0;
  for ([[maybe_unused]] auto _ : state) {
    key.id = sample_id(mix(++i) % world.keys);
    key.version = {++version};
    world.view.apply(key);
  }
}

void memo(State& state) {
  World& world = World::of(static_cast<std::uint64_t>(state.range(0)));
  const auto digest = jwt::memo_hash_of(unsigned_token(0, world.kid));
  const view::View::Reader reader(world.view);
  const view::KeyRow& row = *reader.find(sample_id(0));
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(reader.recall(row, digest));
}

void token_digest(State& state) {
  const std::string token = unsigned_token(1, std::string(43, 'A'));
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(jwt::digest_of(token));
}

void token_hint(State& state) {
  const std::string token = unsigned_token(1, std::string(43, 'A'));
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(jwt::hinted_key_id(token));
}

void token_parse(State& state) {
  const std::string token = unsigned_token(1, std::string(43, 'A'));
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(jwt::parse_access_token(token));
}

void signature(State& state) {
  const auto key = jwt::Ed25519PrivateKey::generate();
  const auto public_key = key.public_key();
  const auto token = jwt::mint_access_token({sample_id(1), "user-00000000001", {1'790'000'000}, Role::user},
                                            jwt::thumbprint(public_key), key);
  const auto parsed = jwt::parse_access_token(token.reveal());
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(jwt::verify(*parsed, public_key));
}

void register_all(std::int64_t most_keys) {
  using benchmark::RegisterBenchmark;
  RegisterBenchmark("token_digest", token_digest);
  RegisterBenchmark("token_hint", token_hint);
  RegisterBenchmark("token_parse", token_parse);
  RegisterBenchmark("signature", signature);
  for (const std::int64_t keys : std::set<std::int64_t>{1, 1000, 1'000'000, most_keys}) {
    auto* hit = RegisterBenchmark("access_hit", access_hit)->Arg(keys);
    if (keys == 1) hit->Iterations(200'000);  // three times that is less than a key has in a minute
    RegisterBenchmark("access_miss", access_miss)->Arg(keys);
    RegisterBenchmark("limiter", limiter)->Arg(keys);
    RegisterBenchmark("memo", memo)->Arg(keys);
    if (keys == 1000) RegisterBenchmark("access_threads", access_threads)->Arg(keys)->Threads(1)->Threads(2);
    RegisterBenchmark("view_apply", view_apply)->Arg(keys);  // last: it moves rows, and takes user ids with it
  }
}

}  // namespace
}  // namespace latchkey::bench

int main(int argc, char** argv) {
  const char* most = std::getenv("LATCHKEY_BENCH_KEYS");
  latchkey::bench::register_all(most == nullptr ? 10'000'000 : std::atoll(most));
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
