#pragma once

// Each answers with one JSON value. They take a few seconds each.

#include <cstdint>
#include <filesystem>
#include <string>

#include "scale/engine.hpp"

namespace latchkey::bench {

/// A view of that many sample keys in a process of its own: memory, time to fill it, time of one change.
std::string measure_view(std::uint64_t keys);

/// A view loaded from the engine's feed, as `latchkey tokens` starts.
std::string measure_load(const Engine& engine);

/// From the answer to a command until a reader in another process has the change in its view: one command at a time
/// (`idle`), and in a stream of 1,000 a second (`busy`). A reader that is faster than the answer counts as 0.
std::string measure_enforced(const Engine& engine, std::uint64_t keys, double seconds);

/// Commands a second, each client sending its next when the one before is durable.
std::string measure_commands(const Engine& engine, std::uint64_t keys, double seconds);

/// A write of 4 KiB and fdatasync, one after another.
std::string measure_fsync(const std::filesystem::path& directory);

/// The first request of a key: the token taken apart, its signature checked and remembered; microseconds.
std::string measure_first_request(const Engine& engine, const std::filesystem::path& tokens);

}  // namespace latchkey::bench
