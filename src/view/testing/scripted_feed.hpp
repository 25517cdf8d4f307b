#pragma once

// For tests: a log of changes and a feed over it that, by seed, does everything the contract allows, or one thing it
// forbids.

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "feed/change_feed.hpp"

namespace latchkey::view {

/// How the next batch breaks the contract.
enum class Fault { none, drop, repeat, swap, go_back, other_epoch, wrong_head };

class ScriptedFeed final : public feed::ChangeFeed {
 public:
  ScriptedFeed(std::uint64_t seed, const Clock& clock) : random_(seed), clock_(clock) {}

  void append(AccessKey key) {
    Change change;
    change.seq = ++head_.seq;
    key.version = Version::made_by(change.seq);
    rows_[key.id] = key;
    change.row = std::move(key);
    log_.push_back(std::move(change));
  }
  /// Another life of the database with the same rows: a reader must load anew.
  void begin_epoch() { ++head_.epoch.value; }

  Result<Position, feed::FeedError> load(feed::SnapshotSink& sink) override {
    if (refuse_next_) return refusal();
    // A snapshot that is older than its newest rows.
    const std::uint64_t behind = std::min<std::uint64_t>(head_.seq.value, random_() % 4);
    for (const auto& [id, key] : rows_) sink.access_key(key);
    return Position{head_.epoch, head_.seq - behind};
  }

  void resume(const LogEnd&) override {}

  Result<feed::Batch, feed::FeedError> next(Position after, std::chrono::milliseconds) override {
    if (refuse_next_) return refusal();
    if (after.epoch != head_.epoch) return feed::FeedError{feed::FeedError::Kind::reload, "another epoch"};
    feed::Batch batch;
    const std::uint64_t waiting = head_.seq - after.seq;
    const std::uint64_t taken = std::min<std::uint64_t>(waiting, 1 + random_() % 5);
    const auto first = log_.begin() + static_cast<std::ptrdiff_t>(after.seq.value);
    batch.changes.assign(first, first + static_cast<std::ptrdiff_t>(taken));
    batch.head = {after.epoch, after.seq + taken};
    batch.more = taken < waiting;
    batch.current_as_of = clock_.boot();
    if (batch.changes.size() >= 3) spoil(batch);
    return batch;
  }
  void wake() override {}

  void refuse_next(feed::FeedError::Kind kind) { refuse_next_ = kind; }
  /// Applied to the next batch that is large enough to show it.
  void spoil_next(Fault fault) { fault_ = fault; }
  bool spoiled() const { return fault_ == Fault::none; }

  Position head() const { return head_; }
  const std::map<KeyId, AccessKey>& rows() const { return rows_; }

 private:
  feed::FeedError refusal() {
    const auto kind = *refuse_next_;
    refuse_next_.reset();
    return {kind, "as scripted"};
  }
  void spoil(feed::Batch& batch) {
    auto& changes = batch.changes;
    switch (std::exchange(fault_, Fault::none)) {
      case Fault::none:
        break;
      case Fault::drop:
        changes.erase(changes.begin() + 1);
        break;
      case Fault::repeat:
        changes.insert(changes.begin() + 1, changes[0]);
        break;
      case Fault::swap:
        std::swap(changes[0], changes[1]);
        break;
      case Fault::go_back:
        changes[1].seq = Seq{0};
        break;
      case Fault::other_epoch:
        ++batch.head.epoch.value;
        break;
      case Fault::wrong_head:
        changes.pop_back();
        break;
    }
  }

  std::mt19937_64 random_;
  const Clock& clock_;
  Position head_{{1}, 0};
  std::vector<Change> log_;
  std::map<KeyId, AccessKey> rows_;
  std::optional<feed::FeedError::Kind> refuse_next_;
  Fault fault_ = Fault::none;
};

}  // namespace latchkey::view
