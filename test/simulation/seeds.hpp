#pragma once

// LATCHKEY_SEED replays one seed; LATCHKEY_SEEDS says how many, LATCHKEY_LONG 10,000. 200 otherwise, fewer where a
// sanitiser makes each many times as long.

#include <cstdint>
#include <cstdlib>
#include <random>

namespace latchkey::simulation {

inline std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

inline bool is_replay() { return std::getenv("LATCHKEY_SEED") != nullptr; }
inline bool is_long_campaign() { return setting("LATCHKEY_LONG", 0) > 0; }
inline std::uint64_t first_seed() { return is_replay() ? setting("LATCHKEY_SEED", 0) : std::random_device()(); }

/// How many times as long a sanitiser makes it.
#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t slowed_down = 10;
#elif defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t slowed_down = 4;
#else
constexpr std::uint64_t slowed_down = 1;
#endif

inline std::uint64_t seeds_to_run() {
  return is_replay() ? 1 : setting("LATCHKEY_SEEDS", is_long_campaign() ? 10'000 : 200 / slowed_down);
}

}  // namespace latchkey::simulation
