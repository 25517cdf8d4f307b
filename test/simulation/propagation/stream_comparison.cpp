#include "propagation/stream_comparison.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "feed/redis/layout.hpp"

namespace latchkey::simulation::propagation {

namespace layout = feed::redis_layout;

namespace {

constexpr Epoch epoch{42};
constexpr redis::Timeouts patient{std::chrono::milliseconds(5000), std::chrono::milliseconds(5000)};

/// Of one of two histories, which differ in their nonces.
Change change_at(std::uint64_t seq, std::uint64_t history) {
  return {.seq = {seq},
          .at = {},
          .actor = "a",
          .action = "signing-key",
          .row = SigningKey(),
          .nonce = {1000 * seq + history}};
}
LogEnd end_at(std::uint64_t seq, std::uint64_t history) {
  return {{epoch, seq}, seq == 0 ? Nonce{} : change_at(seq, history).nonce};
}

std::string text_of(const std::optional<std::uint64_t>& number) { return number ? std::to_string(*number) : "none"; }
std::string text_of(const std::optional<Nonce>& nonce) { return nonce ? std::to_string(nonce->value) : "none"; }
std::string text_of(const LogEnd& end) { return fmt::format("{}/{}", end.position.to_string(), end.nonce.value); }
std::string text_of(const std::optional<relay::Life>& life) {
  if (!life) return "no life";
  return fmt::format("{} {} base {} tick {} snapshot {}{}{}", life->id, text_of(life->end), life->base.value,
                     life->tick, life->snapshot_seq.value, life->snapshot_whole ? "" : " broken",
                     life->log_whole ? "" : " damaged");
}
std::string text_of(const std::optional<feed::StreamSight>& sight) {
  if (!sight) return "no life";
  std::string text = fmt::format("{} base {} end {} known {} tick {} beat {} of {}:", sight->life, sight->base.value,
                                 text_of(sight->log.end), text_of(sight->log.nonce_at_known), sight->tick,
                                 sight->beat_seq.value, sight->beat_tick);
  for (const Change& change : sight->changes) text += fmt::format(" {}/{}", change.seq.value, change.nonce.value);
  return text;
}
std::string text_of(const std::optional<feed::SnapshotName>& snapshot) {
  if (!snapshot) return "no life";
  return fmt::format("{} {} of {}", snapshot->name, text_of(snapshot->end), snapshot->chunks);
}

}  // namespace

StreamComparison::StreamComparison(const redis::TestServer& server, std::uint64_t seed)
    : random_(seed),
      server_(server.connect(patient)),
      stream_(server.address(), clock_, patient),
      link_(server.address(), patient, clock_),
      reader_(link_, clock_) {
  run({"FLUSHALL"});
}

void StreamComparison::step() {
  const std::uint64_t nudges = model_.newest_nudge();
  const std::string nudge = newest_nudge();
  const bool was_flushed = act();
  same("nudged", newest_nudge() != nudge, model_.newest_nudge() != nudges || was_flushed);
  compare_what_stands();
}
std::string StreamComparison::newest_nudge() {
  const auto newest = run({"XREVRANGE", layout::nudge, "+", "-", "COUNT", "1"});
  return newest.elements.empty() ? "" : newest.elements[0].elements[0].text;
}
template <class Value>
void StreamComparison::same(const std::string& what, const Value& at_redis, const Value& at_model) const {
  EXPECT_EQ(at_redis, at_model) << what << ", after " << doing_;
}

/// True: all nudges were forgotten with all else.
bool StreamComparison::act() {
  const std::uint64_t choice = pick(20);
  if (!model_.data().life && choice < 15) return begin(), false;
  if (choice < 9) return append(), false;
  if (choice < 12) return attach(), false;
  if (choice < 14) return tick(), false;
  if (choice < 16) return write_a_chunk(), false;
  if (choice < 17) return discard(), false;
  if (choice < 18) return pick(3) == 0 ? begin() : end(), false;
  return accident();
}

std::string StreamComparison::a_life() {
  return model_.data().life && pick(8) > 0 ? model_.data().life->id : "life" + std::to_string(pick(4));
}
std::vector<Change> StreamComparison::changes_after(std::uint64_t after, std::uint64_t count) {
  std::vector<Change> changes;
  const std::uint64_t of = history();
  for (std::uint64_t seq = after + 1; seq <= after + count; ++seq) changes.push_back(change_at(seq, of));
  return changes;
}

void StreamComparison::append() {
  const std::uint64_t after = around(last());
  auto changes = changes_after(after, pick(5));
  if (changes.size() > 2 && pick(8) == 0) std::swap(changes[0], changes[1]);  // of a relay that is broken
  const std::string life = a_life();
  const auto beat = pick(2) == 0 ? std::optional(pick(6)) : std::nullopt;
  const LogEnd end = end_at(after, history());
  doing_ = fmt::format("append {} after {}, {} changes, beat {}", life, text_of(end), changes.size(), text_of(beat));
  const auto at_redis = stream_.append(
      life, end, changes, beat ? std::optional(relay::Tick{.number = *beat, .connection = 1}) : std::nullopt);
  const auto at_model = model_.append(life, end, changes, beat);
  ASSERT_TRUE(at_redis);
  same("what", at_redis->what, at_model.what);
  outcomes_.insert(fmt::format("append {}", static_cast<int>(at_model.what)));
  same("written", at_redis->written, at_model.written);
  same("duplicates", at_redis->duplicates, at_model.duplicates);
}

void StreamComparison::tick() {
  const std::string life = a_life();
  const Epoch of{pick(8) == 0 ? 1 : epoch.value};
  doing_ = fmt::format("tick {} of {}", life, of.value);
  const auto at_redis = stream_.tick(life, of);
  const auto at_model = model_.tick(life, of);
  ASSERT_TRUE(at_redis);
  ASSERT_EQ(at_redis->has_value(), at_model.has_value());
  if (!at_model) return;
  same("number", (*at_redis)->number, at_model->number);
  same("end", (*at_redis)->end, at_model->end);
}

void StreamComparison::end() {
  const std::string life = a_life();
  doing_ = "end " + life;
  ASSERT_TRUE(stream_.end(life));
  model_.end(life);
}

void StreamComparison::write_chunk(const relay::Snapshot& snapshot, std::uint64_t number) {
  relay::Snapshot so_far = snapshot;
  so_far.chunks = number;
  const std::string rows = "rows" + std::to_string(pick(1000));
  ASSERT_TRUE(stream_.write_chunk(so_far, rows));
  model_.write_chunk(so_far, rows);
}

/// Of any history, ahead of the log or behind; now and then a part is not written.
relay::Snapshot StreamComparison::write_snapshot(std::uint64_t seq, std::uint64_t of) {
  const relay::Snapshot snapshot{"s" + std::to_string(snapshots_.size()), end_at(seq, of), 1 + pick(3)};
  snapshots_.push_back(snapshot);
  for (std::uint64_t number = 0; number < snapshot.chunks; ++number) {
    if (pick(16) > 0) write_chunk(snapshot, number);
  }
  return snapshot;
}
const relay::Snapshot& StreamComparison::a_snapshot() {
  return snapshots_[snapshots_.size() - 1 - pick(std::min<std::size_t>(snapshots_.size(), 4))];
}

void StreamComparison::begin() {
  const std::uint64_t of = history();
  const relay::Snapshot snapshot =
      snapshots_.empty() || pick(4) > 0 ? write_snapshot(around(last()), of) : a_snapshot();
  const std::uint64_t seq = snapshot.end.position.seq.value;
  const std::uint64_t base = seq - std::min(seq, pick(4));
  const relay::Seed seed{"life" + std::to_string(lives_ + 4), end_at(base, of), base == 0 || pick(4) > 0};
  const auto changes = changes_after(base, seq - base - (base < seq && pick(8) == 0 ? 1 : 0));
  ASSERT_TRUE(stream_.write_seed(seed, changes));
  model_.write_seed(seed, changes);
  seeds_.push_back(seed);
  doing_ = fmt::format("begin {} at {} with {} changes", seed.life, text_of(snapshot.end), changes.size());
  const auto at_redis = stream_.begin(snapshot, seed);
  const auto at_model = model_.begin(snapshot, seed);
  ASSERT_TRUE(at_redis);
  same("begun", *at_redis, at_model);
  outcomes_.insert(fmt::format("begin {}", static_cast<int>(at_model)));
  ++lives_;
}

void StreamComparison::attach() {
  const relay::Snapshot snapshot =
      pick(4) > 0 ? write_snapshot(last() + 1 - std::min(pick(4), last() + 1), history()) : a_snapshot();
  const std::string life = a_life();
  doing_ = fmt::format("attach {} at {} to {}", snapshot.name, text_of(snapshot.end), life);
  const auto at_redis = stream_.attach(life, snapshot);
  const auto at_model = model_.attach(life, snapshot);
  ASSERT_TRUE(at_redis);
  same("attached", *at_redis, at_model);
  outcomes_.insert(fmt::format("attach {}", static_cast<int>(at_model)));
}

void StreamComparison::write_a_chunk() {
  if (snapshots_.empty()) return;
  const relay::Snapshot snapshot = a_snapshot();
  doing_ = "write a chunk of " + snapshot.name;
  write_chunk(snapshot, pick(snapshot.chunks));
}

void StreamComparison::discard() {
  if (snapshots_.empty() || seeds_.empty()) return;
  const relay::Snapshot snapshot = a_snapshot();
  doing_ = "discard " + snapshot.name;
  ASSERT_TRUE(stream_.discard(snapshot, seeds_.back()));
  model_.discard(snapshot, seeds_.back());
}

bool StreamComparison::accident() {
  const std::uint64_t choice = pick(16);
  doing_ = "an accident";
  if (choice == 0) return flush();
  if (choice < 4) lose_entry();
  if (choice > 12) lose_chunk();
  return false;
}

bool StreamComparison::flush() {
  const bool had_nudge = !newest_nudge().empty();
  run({"FLUSHALL"});
  model_.flush();
  return had_nudge;
}

void StreamComparison::lose_entry() {
  const auto& log = model_.data().log;
  if (log.empty()) return;
  const std::uint64_t which = pick(log.size());
  const auto entry = std::next(log.begin(), static_cast<std::ptrdiff_t>(which));
  run({"XDEL", layout::log, std::to_string(entry->first.value)});
  model_.lose_entry(which);
}

void StreamComparison::lose_chunk() {
  const auto& data = model_.data();
  if (!data.life || !data.snapshots.contains(data.life->snapshot.name)) return;
  const auto& parts = data.snapshots.at(data.life->snapshot.name);
  if (parts.empty()) return;
  const std::uint64_t which = pick(parts.size());
  const auto part = std::next(parts.begin(), static_cast<std::ptrdiff_t>(which));
  run({"HDEL", layout::snapshot_prefix + data.life->snapshot.name, std::to_string(part->first)});
  model_.lose_chunk(which);
}

void StreamComparison::compare_what_stands() {
  const auto life = stream_.look();
  ASSERT_TRUE(life);
  same("look", text_of(*life), text_of(model_.look()));
  compare_reads(around(last()), around(last()));
  const std::uint64_t base = model_.data().life ? model_.data().life->base.position.seq.value : 0;
  compare_reads(base, base);
  const auto snapshot = reader_.snapshot();
  same("snapshot", text_of(snapshot ? std::optional(*snapshot) : std::nullopt), text_of(model_.snapshot()));
  for (std::size_t i = snapshots_.size(); i > 0 && i + 6 > snapshots_.size(); --i) compare_parts(snapshots_[i - 1]);
  if (!seeds_.empty()) compare_seed(seeds_.back());
}

void StreamComparison::compare_seed(const relay::Seed& seed) {
  const auto& seeds = model_.data().seeds;
  const auto at_model = seeds.find(seed.life);
  same("seed", run({"XLEN", layout::seed_prefix + seed.life}).integer,
       at_model == seeds.end() ? std::int64_t{0} : static_cast<std::int64_t>(at_model->second.size()));
}

void StreamComparison::compare_reads(std::uint64_t after_seq, std::uint64_t known_seq) {
  const Seq after{after_seq}, known{known_seq};
  auto expected = model_.read(after, known);
  if (expected && after < expected->base) expected->changes.clear();
  Seq due = after;
  const bool dense = !expected || std::all_of(expected->changes.begin(), expected->changes.end(),
                                              [&](const Change& change) { return change.seq == ++due; });
  const auto sight = reader_.read(after, known);
  if (!dense) {
    EXPECT_TRUE(!sight && sight.error().kind == feed::FeedError::Kind::reload) << "a gap, after " << doing_;
  } else {
    same(fmt::format("read after {} knowing {}", after_seq, known_seq),
         text_of(sight ? std::optional(*sight) : std::nullopt), text_of(expected));
  }
}

void StreamComparison::compare_parts(const relay::Snapshot& snapshot) {
  for (std::uint64_t number = 0; number < snapshot.chunks; ++number) {
    const auto part = run({"HGET", layout::snapshot_prefix + snapshot.name, std::to_string(number)});
    same(fmt::format("part {} of {}", number, snapshot.name), part.is_string() ? part.text : "none",
         model_.chunk(snapshot.name, number).value_or("none"));
  }
}

}  // namespace latchkey::simulation::propagation
