#include "keys_service/broadcaster.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "keys_service/audit_json.hpp"

namespace latchkey::keys_service {
namespace {

using std::chrono::steady_clock;

// Little at a time: a reader that is catching up neither delays the others nor overfills a stream's 1 MiB. Two hundred
// rows of the largest kind alone would.
constexpr std::size_t batch_size = 200;
constexpr std::size_t batch_bytes = 128 * 1024;
constexpr std::chrono::milliseconds between_batches{20};
constexpr std::size_t room_for_a_batch = 512 * 1024;  // of the 1 MiB that a stream may have waiting

std::string event_of(const store::AuditEntry& entry, Epoch epoch) {
  JsonWriter data;
  write(data, entry, epoch);
  return "id: " + Position{epoch, entry.change.seq}.to_string() + "\nevent: change\ndata: " + data.take() + "\n\n";
}

}  // namespace

Broadcaster::Broadcaster(store::KeyStore& store, const Clock& clock, BroadcasterConfig config)
    : store_(store), clock_(clock), config_(config), last_heartbeat_(steady_clock::now()) {
  thread_.start([this] { run(); });
}

Broadcaster::~Broadcaster() {
  thread_.stop();
  accept_new();
  for (auto& listener : listeners_) listener.stream->close();
}

bool Broadcaster::reserve(const std::string& admin) {
  const MutexLock lock(mutex_);
  if (all_taken() >= config_.max_streams) return false;
  std::size_t& own = taken_[admin];
  if (own >= std::max<std::size_t>(config_.max_streams / 2, 1)) return false;
  ++own;
  return true;
}

void Broadcaster::add(std::shared_ptr<http::Stream> stream, Position after, const jwt::AdminIdentity& admin) {
  {
    const MutexLock lock(mutex_);
    fresh_.push_back({std::move(stream), after, admin});
  }
  nudge();
}

std::size_t Broadcaster::streams() const {
  const MutexLock lock(mutex_);
  return all_taken();
}

std::size_t Broadcaster::all_taken() const {
  return std::accumulate(taken_.begin(), taken_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& admin) { return sum + admin.second; });
}

void Broadcaster::run() {
  Progress progress = Progress::caught_up;
  while (thread_.sleep(progress == Progress::more ? between_batches : config_.poll)) {
    accept_new();
    end_expired();
    progress = round();
    send_heartbeats();
    drop_ended();
  }
}

void Broadcaster::accept_new() {
  const MutexLock lock(mutex_);
  std::move(fresh_.begin(), fresh_.end(), std::back_inserter(listeners_));
  fresh_.clear();
}

void Broadcaster::end_expired() {
  const UnixMillis now = clock_.wall();
  for (auto& listener : listeners_) {
    if (listener.admin.expires_at <= now) listener.stream->close();
  }
}

Broadcaster::Progress Broadcaster::round() {
  if (listeners_.empty()) return Progress::caught_up;
  const auto position = store_.position();
  if (!position) return Progress::caught_up;  // the store's own trouble; the next poll asks again
  std::set<Seq> places;
  Progress progress = Progress::caught_up;
  for (auto& listener : listeners_) {
    if (listener.at.epoch != position->epoch || listener.at.seq > position->seq) {
      listener.stream->close();  // the log it followed is gone; on reconnecting it is told so
    } else if (listener.at.seq < position->seq && has_room(listener)) {
      places.insert(listener.at.seq);
    } else if (listener.at.seq < position->seq) {
      progress = Progress::more;
    }
  }
  for (const auto after : places) {
    if (serve(after, position->epoch) == Progress::more) progress = Progress::more;
  }
  return progress;
}

// A slow reader is served later, not cut off.
bool Broadcaster::has_room(const Listener& listener) { return listener.stream->waiting_bytes() <= room_for_a_batch; }

Broadcaster::Progress Broadcaster::serve(Seq after, Epoch epoch) {
  const auto page = store_.audit({.after = after, .limit = batch_size});
  if (!page || page->entries.empty()) return Progress::caught_up;
  const auto& entries = page->entries;
  // Asked again: these may be of a store that was restored since. Then the next round ends the streams.
  const auto now = store_.position();
  if (!now || now->epoch != epoch || now->seq < entries.back().change.seq) return Progress::more;
  std::string events;
  end_expired();  // again: what was committed after an expiry may have been read just now
  Seq last = after;
  for (auto entry = entries.begin(); entry != entries.end() && events.size() < batch_bytes; ++entry) {
    events += event_of(*entry, epoch);
    last = entry->change.seq;
  }
  for (auto& listener : listeners_) {
    if (listener.at != Position{epoch, after} || listener.stream->closed() || !has_room(listener)) continue;
    listener.stream->write(events);
    listener.at.seq = last;
  }
  return page->more || last < entries.back().change.seq ? Progress::more : Progress::caught_up;
}

void Broadcaster::send_heartbeats() {
  const auto now = steady_clock::now();
  if (now - last_heartbeat_ < config_.heartbeat) return;
  last_heartbeat_ = now;
  for (auto& listener : listeners_) listener.stream->write(": heartbeat\n\n");
}

void Broadcaster::drop_ended() {
  std::erase_if(listeners_, [this](const Listener& listener) {
    if (!listener.stream->closed()) return false;
    const MutexLock lock(mutex_);
    const auto own = taken_.find(listener.admin.subject);
    if (--own->second == 0) taken_.erase(own);
    return true;
  });
}

}  // namespace latchkey::keys_service
