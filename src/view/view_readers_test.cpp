#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "view/testing/sample_rows.hpp"
#include "view/view.hpp"

namespace latchkey::view {
namespace {

// Every version of a row says the same thing in all its parts, so a mixture of two, or a reused one, shows.
AccessKey coherent_key(std::uint64_t n, std::uint64_t version) {
  AccessKey key = key_of(n, version);
  key.user_id = std::string(1 + version % 40, static_cast<char>('a' + version % 26));
  key.requests_per_minute = static_cast<std::uint32_t>(version);
  key.issued_at = {static_cast<std::int64_t>(version)};
  return key;
}

bool coherent(const KeyRow& row, std::uint64_t n) {
  const std::uint64_t version = row.version().value;
  return row.id() == id_of(n) && row.requests_per_minute() == static_cast<std::uint32_t>(version) &&
         row.issued_at().seconds == static_cast<std::int64_t>(version) &&
         row.user_id() == std::string(1 + version % 40, static_cast<char>('a' + version % 26));
}

TEST(View, ReadersSeeWholeRowsBesideTheWriter) {
  constexpr std::uint64_t keys = 64;
  View view;
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> broken{0}, looks{0};
  const auto read = [&](std::uint64_t first) {
    std::array<std::uint64_t, keys> last{};
    std::uint64_t life_position = 0;
    for (std::uint64_t n = first; !done; ++n) {
      const View::Reader reader(view);
      const KeyRow* row = reader.find(id_of(n % keys));
      if (row == nullptr) continue;
      View::Reader::remember(*row, Issue::current, {{n, n}}, UsableKey{{}, {1, n}});
      if (!coherent(*row, n % keys) || row->version().value < last[n % keys]) ++broken;
      last[n % keys] = row->version().value;
      const Freshness freshness = view.freshness();
      if (freshness.complete && freshness.position.seq.value < life_position) ++broken;
      if (freshness.complete &&
          freshness.current_as_of.nanos != static_cast<std::int64_t>(freshness.position.seq.value))
        ++broken;
      if (freshness.complete) life_position = freshness.position.seq.value;
      ++looks;
    }
  };
  std::vector<std::thread> readers;
  for (std::uint64_t i = 0; i < 3; ++i) readers.emplace_back(read, i * 7);
  std::uint64_t version = 0;
  while (version < 60'000 || looks < 1000) {
    ++version;
    view.apply(coherent_key(version * 31 % keys, version));
    view.advance({{1}, version}, BootTime{static_cast<std::int64_t>(version)});
    if (version % 20'000 == 0) view.reset();
  }
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(broken, 0U);
}

TEST(View, AReaderKeepsItsRowHoweverLongTheWriterRuns) {
  View view;
  view.apply(coherent_key(1, 1));
  const View::Reader reader(view);
  const KeyRow* row = reader.find(id_of(1));
  for (std::uint64_t version = 2; version < 5000; ++version) view.apply(coherent_key(1, version));
  view.reset();
  view.apply(coherent_key(1, 5000));
  EXPECT_TRUE(coherent(*row, 1));
  EXPECT_EQ(row->version(), Version{1});
}

TEST(View, ManyReadersAtOnceEachFindASlot) {
  View view;
  view.apply(key_of(1, 1));
  std::vector<std::unique_ptr<View::Reader>> readers;
  for (int i = 0; i < 200; ++i) readers.push_back(std::make_unique<View::Reader>(view));
  for (const auto& reader : readers) EXPECT_NE(reader->find(id_of(1)), nullptr);
}

}  // namespace
}  // namespace latchkey::view
