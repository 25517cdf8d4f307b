#include "relay/snapshot_maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/log.hpp"
#include "feed/record.hpp"

namespace latchkey::relay {

using std::chrono::milliseconds;

namespace {

Error failure_of(const feed::FeedError& error) {
  if (error.kind == feed::FeedError::Kind::not_made) return store::not_made(error.why);
  return Error(ErrorCode::unavailable, "the store cannot be read", error.why);
}

}  // namespace

/// Rows on their way into chunks. After a failure the rest is dropped.
class SnapshotMaker::Rows final : public feed::SnapshotSink {
 public:
  Rows(Stream& stream, std::string name, const SnapshotConfig& config, const std::atomic<bool>& stopping)
      : stream_(stream), config_(config), stopping_(stopping) {
    snapshot_.name = std::move(name);
  }

  void access_key(const AccessKey& key) override { add(key); }
  void signing_key(const SigningKey& key, Version version) override { add(key, version); }
  void plan(const Plan& plan) override { add(plan); }
  void user(const User& user) override { add(user); }
  void change(const Change& change) { add(change); }

  Result<Snapshot> finish(const LogEnd& end) {
    if (!writer_.empty()) flush();
    if (failure_) return *failure_;
    snapshot_.end = end;
    return snapshot_;
  }
  std::uint64_t count() const { return count_; }

 private:
  template <class... Row>
  void add(const Row&... row) {
    writer_.add(row...);
    ++count_;
    if (writer_.size() >= config_.chunk_bytes) flush();
  }
  void flush() {
    const std::string rows = writer_.take();
    if (stopping_) failure_ = Error(ErrorCode::unavailable, "stopping");
    if (failure_) return;
    if (auto written = stream_.write_chunk(snapshot_, rows); !written) failure_ = written.error();
    ++snapshot_.chunks;
  }

  Stream& stream_;
  const SnapshotConfig& config_;
  const std::atomic<bool>& stopping_;
  Snapshot snapshot_;
  feed::RowsWriter writer_;
  std::uint64_t count_ = 0;
  std::optional<Error> failure_;
};

SnapshotMaker::SnapshotMaker(feed::ChangeFeed& source, Stream& stream, Random& random, RelayStats& stats,
                             SnapshotConfig config)
    : source_(source),
      stream_(stream),
      random_(random),
      stats_(stats),
      config_(config),
      retries_("the snapshot", stats) {}

milliseconds SnapshotMaker::step() {
  const auto life = stream_.look();
  if (!life) return retries_.pause_after(life.error());
  if (*life && !due(**life)) return config_.look_interval;
  const auto published = *life ? renew(**life) : begin_life();
  if (!published) return retries_.pause_after(published.error());
  retries_.over();
  return *published == Published::done ? milliseconds::zero() : config_.look_interval;
}

bool SnapshotMaker::due(const Life& life) const {
  // A new snapshot after `changes_between` changes, or after a quarter of the rows where that is more: the log that
  // readers replay stays short beside the snapshot, and a large store is not written again for few changes.
  const std::uint64_t behind = life.end.position.seq - std::min(life.end.position.seq, life.snapshot_seq);
  return !life.snapshot_whole || behind >= std::max(config_.changes_between, rows_of_last_ / 4);
}

Result<Snapshot> SnapshotMaker::take() {
  Rows rows(stream_, new_name(), config_, stopping_);
  const auto loaded = source_.load(rows);
  if (!loaded) return failure_of(loaded.error());
  // The rows were read while commands went on, so some are newer than `loaded`. The changes up to the log's end,
  // applied on top, make them whole as of that end: a row is replaced only by a newer version.
  LogEnd end{*loaded, 0};
  for (bool more = true; more;) {
    const auto batch = source_.next(end.position, milliseconds::zero());
    if (!batch) return failure_of(batch.error());
    for (const Change& change : batch->changes) rows.change(change);
    end = {batch->head, batch->head_nonce};
    more = batch->more;
  }
  rows_of_last_ = rows.count();
  return rows.finish(end);
}

Result<Seed> SnapshotMaker::prepare_seed(const Snapshot& snapshot) {
  const Seq last = snapshot.end.position.seq;
  Seed seed{new_name(), snapshot.end, true};
  LogEnd at{snapshot.end.position, 0};
  at.position.seq = last - std::min(last.value, config_.seeded_changes);
  const LogEnd base = at;
  while (at.position.seq < last) {
    auto batch = source_.next(at.position, milliseconds::zero());
    // A log that does not reach back so far (a gap, a pruned table) gives a life without one: readers then load.
    if (!batch || batch->changes.empty()) return Seed{new_name(), snapshot.end, true};
    auto& changes = batch->changes;
    if (batch->head.seq > last) changes.resize(changes.size() - (batch->head.seq - last));
    if (auto written = stream_.write_seed(seed, changes); !written) return written.error();
    at = {{at.position.epoch, changes.back().seq}, changes.back().nonce};
  }
  // Between the snapshot and now the store may have been put back and have grown again.
  if (last > Seq{} && at.position != base.position && at.nonce != snapshot.end.nonce) {
    return Error(ErrorCode::unavailable, "the store's history changed meanwhile");
  }
  seed.base = base;
  seed.base_nonce_known = base.position.seq == Seq{} || base.position.seq == last;
  return seed;
}

Result<Published> SnapshotMaker::begin_life() {
  const auto snapshot = take();
  if (!snapshot) return snapshot.error();
  const auto seed = prepare_seed(*snapshot);
  if (!seed) return seed.error();
  // Two relays may both get here. begin() is one script: the first makes the life, the other is told `taken`.
  const auto published = stream_.begin(*snapshot, *seed);
  if (!published) return published.error();
  if (*published == Published::done) {
    ++stats_.begun;
    log_info("relay: {} begun at {} with {} rows", seed->life, snapshot->end.position.to_string(), rows_of_last_);
  } else {
    static_cast<void>(stream_.discard(*snapshot, *seed));
  }
  return *published;
}

Result<Published> SnapshotMaker::renew(const Life& life) {
  if (!waiting_ || waiting_->life != life.id) {
    auto snapshot = take();
    if (!snapshot) return snapshot.error();
    waiting_ = Waiting{life.id, std::move(*snapshot)};
  }
  auto published = attach();
  // The tail may still be on its way to where the scan ended.
  if (!published || (*published == Published::early && ++waiting_->attempts < config_.waits_for_tail)) return published;
  if (*published != Published::done) static_cast<void>(stream_.discard(waiting_->snapshot, {}));
  waiting_.reset();
  return published;
}

Result<Published> SnapshotMaker::attach() {
  auto published = stream_.attach(waiting_->life, waiting_->snapshot);
  if (published && *published == Published::done) {
    ++stats_.snapshots;
    log_info("relay: a new snapshot at {} with {} rows", waiting_->snapshot.end.position.to_string(), rows_of_last_);
  }
  return published;
}

std::string SnapshotMaker::new_name() {
  std::array<std::uint8_t, 8> bytes{};
  random_.fill(bytes);
  std::string name;
  for (const auto byte : bytes) name += fmt::format("{:02x}", byte);
  return name;
}

}  // namespace latchkey::relay
