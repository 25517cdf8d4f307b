#include "propagation/store_client.hpp"

namespace latchkey::simulation::propagation {

using feed::FeedError;
using std::chrono::milliseconds;

namespace {

FeedError store_is_silent() { return {FeedError::Kind::unavailable, "the store does not answer"}; }

}  // namespace

struct StoreClient::Rows {
  std::vector<AccessKey> keys;
};

template <class Reply>
std::optional<Reply> StoreClient::ask(std::function<Reply()> serve) {
  return way_.process.ask<Reply>(
      way_.network, milliseconds(300), [&cut = way_.cut] { return cut; },
      [serve = std::move(serve)] { return std::optional(serve()); });
}

Result<LogEnd, FeedError> StoreClient::end() {
  auto found = ask<LogEnd>([&store = way_.store] {
    LogEnd end;
    store.watch({}, [&](const store::MemoryStore::State& state) {
      end = state.end();
      return true;
    });
    return end;
  });
  if (!found) return store_is_silent();
  return *found;
}

/// The rows in two reads, so that the second may be newer than the position, and than the first.
Result<Position, FeedError> StoreClient::load(feed::SnapshotSink& sink) {
  auto known = end();
  if (!known) return known.error();
  for (const bool second_half : {false, true}) {
    const auto rows = ask<Rows>([&store = way_.store, second_half] {
      Rows found;
      store.watch({}, [&](const store::MemoryStore::State& state) {
        for (const auto& [id, key] : state.keys) {
          if ((id.bytes().back() % 2 == 1) == second_half) found.keys.push_back(key);
        }
        return true;
      });
      return found;
    });
    if (!rows) return store_is_silent();
    for (const AccessKey& key : rows->keys) sink.access_key(key);
    way_.process.sleep(way_.world.duration({}, milliseconds(20)));
  }
  if (way_.bug == Bug::snapshot_position_read_after) known = end();
  if (!known) return known.error();
  known_ = *known;
  return known->position;
}

Result<feed::Batch, FeedError> StoreClient::read(Position after) {
  const BootTime stamp = way_.clock.boot();
  using Answer = Result<feed::Batch, FeedError>;
  auto answer = ask<Answer>([&store = way_.store, known = known_, after] {
    ManualClock unused;  // when that was is for the caller to say
    feed::MemoryFeed feed(store, unused);
    if (known) feed.resume(*known);
    return feed.next(after, milliseconds::zero());
  });
  if (!answer) return store_is_silent();
  if (!*answer) return std::move(*answer);
  feed::Batch& batch = **answer;
  batch.current_as_of = stamp;
  known_ = {batch.head, batch.head_nonce};
  return std::move(batch);
}

Result<feed::Batch, FeedError> StoreClient::next(Position after, milliseconds patience) {
  const BootTime deadline = way_.clock.boot() + patience;
  for (;;) {
    auto batch = read(after);
    if (!batch || !batch->changes.empty() || way_.clock.boot() >= deadline) return batch;
    way_.process.sleep(std::min<Duration>(milliseconds(30), deadline - way_.clock.boot() + milliseconds(1)));
  }
}

}  // namespace latchkey::simulation::propagation
