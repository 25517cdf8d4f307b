#pragma once

// What is measured: a store and a feed of it, made anew in whichever process asks. Another engine is another two
// functions.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "feed/change_feed.hpp"
#include "store/key_store.hpp"

namespace latchkey::bench {

struct Engine {
  std::function<std::unique_ptr<store::KeyStore>()> open_store;
  std::function<std::unique_ptr<feed::ChangeFeed>()> open_feed;
};

/// The embedded engine on the data directory's database. Throws std::runtime_error where the file cannot be had.
Engine sqlite_engine(const std::filesystem::path& data_directory);

/// PostgreSQL, and a feed straight from it.
Engine postgres_engine(const std::string& store);

/// PostgreSQL, and the stream of a relay that runs.
Engine relayed_engine(const std::string& store, const std::string& stream);

/// A data directory with so many sample keys, written past the triggers but row for row as they would have; and the
/// tokens of the first `tokens` of them, one a line, in DIRECTORY/access-keys.
void fill_sqlite(const std::filesystem::path& data_directory, std::uint64_t keys, std::uint64_t tokens);

}  // namespace latchkey::bench
