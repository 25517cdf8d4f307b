#include "propagation/stream_server.hpp"

#include <algorithm>

namespace latchkey::simulation::propagation {

using relay::Appended;
using relay::Published;

std::optional<Nonce> StreamServer::nonce_at(Seq seq) const {
  const auto found = data_.log.find(seq);
  return found == data_.log.end() ? std::nullopt : std::optional(found->second.nonce);
}

bool StreamServer::whole(const relay::Snapshot& snapshot) const {
  const auto parts = data_.snapshots.find(snapshot.name);
  return (parts == data_.snapshots.end() ? 0 : parts->second.size()) == snapshot.chunks;
}

std::optional<relay::Life> StreamServer::look() const {
  if (!data_.life) return std::nullopt;
  const auto& life = *data_.life;
  return relay::Life{
      life.id,    life.last, life.base.position.seq, life.tick, life.snapshot.end.position.seq, whole(life.snapshot),
      log_whole()};
}

std::optional<relay::Tick> StreamServer::tick(const std::string& life, Epoch epoch) {
  if (!data_.life || data_.life->id != life || data_.life->last.position.epoch != epoch) return std::nullopt;
  const Seq end = bug_ == Bug::stream_ahead_of_store_ignored ? Seq{} : data_.life->last.position.seq;
  return relay::Tick{.number = ++data_.life->tick, .end = end};
}

std::uint64_t StreamServer::duplicates_of(const LogEnd& after, std::span<const Change> changes) const {
  return std::min<std::uint64_t>(changes.size(), data_.life->last.position.seq - after.position.seq);
}

/// Where both have a change it must be the same one: at `after`, and at the last that both have.
bool StreamServer::forks(const LogEnd& after, std::span<const Change> changes) const {
  const Seq base = data_.life->base.position.seq;
  const Seq seq = after.position.seq;
  if (seq > Seq{} && seq > base && nonce_at(seq) != after.nonce) return true;
  const std::uint64_t duplicates = duplicates_of(after, changes);
  return duplicates > 0 && seq + duplicates > base && nonce_at(seq + duplicates) != changes[duplicates - 1].nonce;
}

relay::AppendOutcome StreamServer::append(const std::string& life, const LogEnd& after, std::span<const Change> changes,
                                          std::optional<std::uint64_t> beat) {
  if (!data_.life || data_.life->id != life) return {Appended::other_life};
  auto& own = *data_.life;
  if (bug_ == Bug::append_without_seq_check) return append_blindly(changes, beat);
  if (!log_whole()) return {Appended::damaged};
  if (after.position.seq > own.last.position.seq) return {Appended::behind};
  if (forks(after, changes)) return {Appended::forked};
  const std::uint64_t duplicates = duplicates_of(after, changes);
  // As the script does: numbered by their order, not by what they say. A reader finds the difference.
  Seq seq = after.position.seq + duplicates;
  for (const Change& change : changes.subspan(duplicates)) {
    data_.log[++seq] = change;
    own.last = {{own.last.position.epoch, seq}, change.nonce};
  }
  const bool beats = beat && *beat > own.beat_tick;
  if (beats) {
    own.beat_seq = after.position.seq + changes.size();
    own.beat_tick = *beat;
  }
  if (beats || changes.size() > duplicates) nudge();
  return {Appended::done, changes.size() - duplicates, duplicates};
}

relay::AppendOutcome StreamServer::append_blindly(std::span<const Change> changes, std::optional<std::uint64_t> beat) {
  auto& own = *data_.life;
  for (const Change& change : changes) {
    data_.log[++own.last.position.seq] = change;
    own.last.nonce = change.nonce;
  }
  own.beat_seq = own.last.position.seq;
  own.beat_tick = beat.value_or(own.beat_tick);
  nudge();
  return {Appended::done, changes.size(), 0};
}

void StreamServer::end(const std::string& life) {
  if (!data_.life || data_.life->id != life) return;
  data_.snapshots.erase(data_.life->snapshot.name);
  data_.snapshots.erase(data_.life->previous.name);
  data_.log.clear();
  data_.life.reset();
  nudge();
}

void StreamServer::write_chunk(const relay::Snapshot& snapshot, std::string_view rows) {
  data_.snapshots[snapshot.name][snapshot.chunks] = rows;
  if (bug_ == Bug::trim_before_snapshot_complete && data_.life) {
    data_.life->snapshot = {snapshot.name, data_.life->last, snapshot.chunks + 1};
    trim_behind(data_.life->snapshot);
  }
}

void StreamServer::write_seed(const relay::Seed& seed, std::span<const Change> changes) {
  for (const Change& change : changes) data_.seeds[seed.life].emplace(change.seq, change);
}

void StreamServer::discard(const relay::Snapshot& snapshot, const relay::Seed& seed) {
  data_.snapshots.erase(snapshot.name);
  data_.seeds.erase(seed.life);
}

Published StreamServer::begin(const relay::Snapshot& snapshot, const relay::Seed& seed) {
  if (data_.life) return Published::taken;
  const std::uint64_t entries = snapshot.end.position.seq - seed.base.position.seq;
  auto prepared = data_.seeds.find(seed.life);
  if (!whole(snapshot) || (prepared == data_.seeds.end() ? 0 : prepared->second.size()) != entries) {
    return Published::incomplete;
  }
  data_.log.clear();
  if (entries > 0) {
    data_.log = std::move(prepared->second);
    data_.seeds.erase(prepared);
  }
  data_.life = StreamData::Life{.id = seed.life,
                                .base = seed.base,
                                .last = snapshot.end,
                                .base_nonce_known = seed.base_nonce_known,
                                .snapshot = snapshot,
                                .previous = {}};
  nudge();
  return Published::done;
}

Published StreamServer::attach(const std::string& life, const relay::Snapshot& snapshot) {
  if (!data_.life || data_.life->id != life) return Published::taken;
  auto& own = *data_.life;
  const Seq seq = snapshot.end.position.seq;
  const Seq base = own.base.position.seq;
  if (!whole(snapshot)) return Published::incomplete;
  if (seq > own.last.position.seq) return Published::early;
  if (seq < base || (seq <= own.snapshot.end.position.seq && whole(own.snapshot))) return Published::taken;
  const bool same =
      seq == base ? own.base_nonce_known && own.base.nonce == snapshot.end.nonce : nonce_at(seq) == snapshot.end.nonce;
  if (!same) return Published::forked;
  if (whole(own.snapshot)) trim_behind(own.snapshot);
  data_.snapshots.erase(own.previous.name);
  own.previous = std::exchange(own.snapshot, snapshot);
  return Published::done;
}

void StreamServer::trim_behind(const relay::Snapshot& snapshot) {
  auto& own = *data_.life;
  if (snapshot.end.position.seq <= own.base.position.seq) return;
  data_.log.erase(data_.log.begin(), data_.log.upper_bound(snapshot.end.position.seq));
  own.base = snapshot.end;
  own.base_nonce_known = true;
}

std::optional<feed::StreamSight> StreamServer::read(Seq after, Seq known) const {
  if (!data_.life) return std::nullopt;
  const auto& life = *data_.life;
  feed::StreamSight sight;
  sight.life = life.id;
  sight.base = life.base.position.seq;
  sight.log.end = life.last;
  sight.log.nonce_at_known = nonce_at(known);
  if (known == sight.base) {
    sight.log.nonce_at_known = life.base_nonce_known ? std::optional(life.base.nonce) : std::nullopt;
  }
  sight.tick = life.tick;
  sight.beat_seq = life.beat_seq;
  sight.beat_tick = life.beat_tick;
  sight.nudge = std::to_string(nudge_);
  for (auto entry = data_.log.upper_bound(after); entry != data_.log.end(); ++entry) {
    sight.changes.push_back(entry->second);
  }
  return sight;
}

std::optional<feed::SnapshotName> StreamServer::snapshot() const {
  if (!data_.life) return std::nullopt;
  const auto& snapshot = data_.life->snapshot;
  return feed::SnapshotName{{}, snapshot.name, snapshot.end, snapshot.chunks};
}

std::optional<std::string> StreamServer::chunk(const std::string& snapshot, std::uint64_t number) const {
  const auto parts = data_.snapshots.find(snapshot);
  if (parts == data_.snapshots.end()) return std::nullopt;
  const auto part = parts->second.find(number);
  return part == parts->second.end() ? std::nullopt : std::optional(part->second);
}

void StreamServer::when_nudged(std::uint64_t seen, std::function<void()> told) {
  if (nudge_ > seen) return told();
  waiting_.push_back(std::move(told));
}

void StreamServer::nudge() {
  ++nudge_;
  for (const auto& told : std::exchange(waiting_, {})) told();
}

void StreamServer::flush() { data_ = {}; }

void StreamServer::lose_entry(std::uint64_t choice) {
  if (!data_.log.empty()) data_.log.erase(std::next(data_.log.begin(), choice % data_.log.size()));
}

void StreamServer::lose_chunk(std::uint64_t choice) {
  if (!data_.life) return;
  auto& parts = data_.snapshots[data_.life->snapshot.name];
  if (!parts.empty()) parts.erase(std::next(parts.begin(), choice % parts.size()));
}

}  // namespace latchkey::simulation::propagation
