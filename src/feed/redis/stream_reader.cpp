#include "feed/redis/stream_reader.hpp"

#include <fmt/format.h>

#include "feed/byte_reader.hpp"
#include "feed/record.hpp"
#include "feed/redis/layout.hpp"
#include "redis/remedy.hpp"

namespace latchkey::feed {
namespace {

using redis::Command;
using redis::Reply;

constexpr int max_changes = 1000;
constexpr std::size_t chunks_at_once = 8;
constexpr std::uint64_t max_chunks = 10'000'000;

// KEYS head log nudge; ARGV after known limit. Nothing: no life. Numbers and nonces as they stand.
const redis::Script read_script(R"lua(
local h = redis.call('HMGET', KEYS[1], 'life', 'epoch', 'base', 'base_nonce', 'last', 'last_nonce', 'tick', 'beat_seq',
  'beat_tick')
if not h[1] then return {} end
local after, known = tonumber(ARGV[1]), tonumber(ARGV[2])
local at_known = ''
if known == tonumber(h[3]) then
  at_known = h[4]
else
  local entry = redis.call('XRANGE', KEYS[2], ARGV[2] .. '-0', ARGV[2] .. '-0')
  if entry[1] then at_known = string.sub(entry[1][2][2], 2, 9) end
end
local entries = {}
if after < tonumber(h[5]) then
  entries = redis.call('XRANGE', KEYS[2], string.format('%.0f-0', after + 1), '+', 'COUNT', ARGV[3])
end
local nudge = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
return {h[1], h[2], h[3], h[5], h[6], h[7], h[8], h[9], at_known, nudge[1] and nudge[1][1] or '0-0', entries}
)lua");
enum Field : std::size_t {
  life,
  epoch,
  base,
  last,
  last_nonce,
  tick,
  beat_seq,
  beat_tick,
  at_known,
  nudge,
  entries,
  count
};

FeedError unavailable(std::string why) { return {FeedError::Kind::unavailable, std::move(why)}; }
const FeedError& no_stream() {
  static const FeedError none{FeedError::Kind::not_made, "the relay has not built the stream yet"};
  return none;
}
FeedError foreign() { return unavailable(redis_layout::foreign); }

std::optional<Nonce> nonce_of(const Reply& reply) {
  if (!reply.is_string() || reply.text.size() != 8) return std::nullopt;
  return Nonce{ByteReader(reply.text).take_fixed64()};
}

/// Everything but the changes.
std::optional<StreamSight> header_of(const std::vector<Reply>& fields) {
  StreamSight sight;
  Position& end = sight.log.end.position;
  const bool good = read_number(fields[epoch], end.epoch.value, 16) && read_number(fields[base], sight.base.value) &&
                    read_number(fields[last], end.seq.value) && read_number(fields[tick], sight.tick) &&
                    read_number(fields[beat_seq], sight.beat_seq.value) &&
                    read_number(fields[beat_tick], sight.beat_tick);
  const auto nonce = nonce_of(fields[last_nonce]);
  if (!good || !nonce || !fields[life].is_string() || !fields[nudge].is_string()) return std::nullopt;
  sight.life = fields[life].text;
  sight.log.end.nonce = *nonce;
  sight.log.nonce_at_known = nonce_of(fields[at_known]);
  sight.nudge = fields[nudge].text;
  return sight;
}

/// ["<seq>-0", ["c", bytes]]
Result<Change, FeedError> change_of(const Reply& entry, Seq due) {
  const bool shaped = entry.is_array() && entry.elements.size() == 2 && entry.elements[1].elements.size() == 2;
  const auto change = shaped ? decode_change(entry.elements[1].elements[1].text) : Error();
  if (!change) return unavailable(shaped ? change.error().detail : "an entry of the stream is broken");
  if (change->seq != due) {
    return FeedError{FeedError::Kind::reload,
                     fmt::format("a gap in the stream: {} came where {} was due", change->seq.value, due.value)};
  }
  return *change;
}

}  // namespace

Result<Reply, FeedError> StreamReader::run(const Command& command) {
  const auto connection = link_.get();
  if (!connection) return FeedError::of(connection.error());
  auto reply = (*connection)->run(command);
  if (!reply) return FeedError::of(redis::with_remedy(reply.error(), redis_layout::remedy));
  return std::move(*reply);
}

Result<StreamSight, FeedError> StreamReader::read(Seq after, Seq known) {
  // Connected before the stamp is taken: a handshake would only make the proof older.
  if (auto connected = link_.get(); !connected) return FeedError::of(connected.error());
  const BootTime stamp = clock_.boot();
  const auto reply =
      run(Command::call(read_script, {redis_layout::head, redis_layout::log, redis_layout::nudge},
                        {std::to_string(after.value), std::to_string(known.value), std::to_string(max_changes)}));
  if (!reply) return reply.error();
  if (reply->elements.empty()) return no_stream();
  if (reply->elements.size() != count) return foreign();
  auto sight = header_of(reply->elements);
  if (!sight) return foreign();
  sight->stamp = stamp;
  sight->connection = link_.generation();
  if (after < sight->base) return std::move(*sight);  // what is missing in between the caller sees by `base`
  for (const Reply& entry : reply->elements[entries].elements) {
    auto change = change_of(entry, after + 1 + sight->changes.size());
    if (!change) return change.error();
    sight->changes.push_back(std::move(*change));
  }
  return std::move(*sight);
}

Result<SnapshotName, FeedError> StreamReader::snapshot() {
  const auto reply =
      run({"HMGET", redis_layout::head, "snap", "snap_seq", "snap_nonce", "snap_chunks", "epoch", "life"});
  if (!reply) return reply.error();
  if (reply->elements.size() != 6) return foreign();
  const auto& fields = reply->elements;
  if (fields[0].is_nil()) return no_stream();
  SnapshotName found{fields[5].text, fields[0].text, {}, 0};
  const auto nonce = nonce_of(fields[2]);
  if (!nonce || !read_number(fields[1], found.end.position.seq.value) || !read_number(fields[3], found.chunks) ||
      !read_number(fields[4], found.end.position.epoch.value, 16) || found.chunks > max_chunks) {
    return foreign();
  }
  found.end.nonce = *nonce;
  return found;
}

void StreamReader::distrust(const std::string& life) {
  static_cast<void>(run({"SET", redis_layout::distrusted, life, "EX", "60"}));
}

Result<void, FeedError> StreamReader::load(const SnapshotName& snapshot, SnapshotSink& sink) {
  const std::string key = redis_layout::snapshot_prefix + snapshot.name;
  for (std::uint64_t first = 0; first < snapshot.chunks; first += chunks_at_once) {
    Command some{"HMGET", key};
    for (auto i = first; i < std::min(first + chunks_at_once, snapshot.chunks); ++i) {
      some.words.push_back(std::to_string(i));
    }
    const auto chunks = run(some);
    if (!chunks) return chunks.error();
    for (const Reply& chunk : chunks->elements) {
      if (!chunk.is_string()) return unavailable("the snapshot was dropped while it was read");
      if (auto decoded = decode_rows(chunk.text, sink); !decoded) {
        return unavailable("the snapshot in Redis: " + decoded.error().detail);
      }
    }
  }
  return {};
}

}  // namespace latchkey::feed
