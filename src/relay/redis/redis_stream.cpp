#include "relay/redis/redis_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "feed/byte_reader.hpp"
#include "feed/record.hpp"
#include "feed/redis/layout.hpp"
#include "redis/remedy.hpp"
#include "relay/redis/scripts.hpp"

namespace latchkey::relay {

namespace layout = feed::redis_layout;
using redis::Command;
using redis::Reply;

namespace {

constexpr const char* part_lifetime_s = "600";
const std::vector<std::string> stream_keys{layout::head, layout::log, layout::nudge};

Error foreign() { return Error(ErrorCode::unavailable, "the stream is not ours", layout::foreign); }

std::string nonce_text(Nonce nonce) {
  std::string bytes;
  feed::put_fixed64(bytes, nonce.value);
  return bytes;
}

std::string epoch_text(Epoch epoch) { return fmt::format("{:016x}", epoch.value); }

std::optional<Life> life_of(const std::vector<Reply>& fields) {
  if (fields.size() != 9 || !fields[0].is_string() || fields[4].text.size() != 8) return std::nullopt;
  Life life;
  life.id = fields[0].text;
  life.end.nonce = {feed::ByteReader(fields[4].text).take_fixed64()};
  life.snapshot_whole = fields[7].text == "1";
  life.log_whole = fields[8].text == "1";
  const bool good = read_number(fields[1], life.end.position.epoch.value, 16) &&
                    read_number(fields[2], life.base.value) && read_number(fields[3], life.end.position.seq.value) &&
                    read_number(fields[5], life.tick) && read_number(fields[6], life.snapshot_seq.value);
  return good ? std::optional(std::move(life)) : std::nullopt;
}

template <class Outcome, std::size_t n>
std::optional<Outcome> named(const std::array<std::pair<std::string_view, Outcome>, n>& names, std::string_view name) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.first == name; });
  return found == names.end() ? std::nullopt : std::optional(found->second);
}

constexpr std::array<std::pair<std::string_view, Appended>, 5> append_names{{{"done", Appended::done},
                                                                             {"life", Appended::other_life},
                                                                             {"behind", Appended::behind},
                                                                             {"fork", Appended::forked},
                                                                             {"damaged", Appended::damaged}}};
constexpr std::array<std::pair<std::string_view, Published>, 5> publish_names{{{"done", Published::done},
                                                                               {"taken", Published::taken},
                                                                               {"incomplete", Published::incomplete},
                                                                               {"early", Published::early},
                                                                               {"fork", Published::forked}}};

Result<Published> published(const Result<Reply>& reply) {
  if (!reply) return reply.error();
  const auto outcome = named(publish_names, reply->text);
  if (!outcome) return foreign();
  return *outcome;
}

}  // namespace

Result<Reply> RedisStream::run(const Command& command) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  auto reply = (*connection)->run(command);
  if (!reply) return redis::with_remedy(reply.error(), layout::remedy);
  return reply;
}

Result<void> RedisStream::run_all(std::span<const Command> commands) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const auto replies = (*connection)->run_all(commands);
  if (!replies) return replies.error();
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Reply& reply = (*replies)[i];
    if (!reply.is_error()) continue;
    return Error(ErrorCode::unavailable, "the stream refused a write",
                 redis::refusal(reply.text, commands[i].words[0]));
  }
  return {};
}

Result<std::optional<Life>> RedisStream::look() {
  const auto reply = run(Command::call(scripts::look(), stream_keys, {layout::snapshot_prefix}));
  if (!reply) return reply.error();
  if (reply->elements.empty()) return std::optional<Life>();
  auto life = life_of(reply->elements);
  if (!life) return foreign();
  return life;
}

Result<std::optional<Tick>> RedisStream::tick(const std::string& life, Epoch epoch) {
  const auto reply = run(Command::call(scripts::tick(), stream_keys, {life, epoch_text(epoch)}));
  if (!reply) return reply.error();
  if (reply->elements.empty()) return std::optional<Tick>();
  if (reply->elements.size() != 2) return foreign();
  const auto number = [&](std::size_t i) { return static_cast<std::uint64_t>(reply->elements[i].integer); };
  return std::optional(Tick{number(0), number(1), link_.generation()});
}

Result<AppendOutcome> RedisStream::append(const std::string& life, const LogEnd& after, std::span<const Change> changes,
                                          std::optional<Tick> beat) {
  if (auto connected = link_.get(); !connected) return connected.error();
  // A tick that was raised on another connection may be another server's: then the changes go without a heartbeat
  // (feed/redis/layout.hpp, "How current", 3).
  const bool same_connection = beat && beat->connection == link_.generation();
  std::vector<std::string> arguments{life, std::to_string(after.position.seq.value),
                                     after.position.seq == Seq{} ? "" : nonce_text(after.nonce),
                                     same_connection ? std::to_string(beat->number) : ""};
  for (const Change& change : changes) arguments.push_back(feed::encode_change(change));
  const auto reply = run(Command::call(scripts::append(), stream_keys, arguments));
  if (!reply) return reply.error();
  const auto what = reply->elements.size() == 3 ? named(append_names, reply->elements[0].text) : std::nullopt;
  if (!what) return foreign();
  return AppendOutcome{*what, static_cast<std::uint64_t>(reply->elements[1].integer),
                       static_cast<std::uint64_t>(reply->elements[2].integer)};
}

Result<void> RedisStream::end(const std::string& life) {
  const auto reply = run(Command::call(scripts::end(), stream_keys, {life, layout::snapshot_prefix}));
  if (!reply) return reply.error();
  return {};
}

Result<void> RedisStream::write_chunk(const Snapshot& snapshot, std::string_view rows) {
  const std::string key = layout::snapshot_prefix + snapshot.name;
  const Command commands[] = {{"HSET", key, std::to_string(snapshot.chunks), std::string(rows)},
                              {"EXPIRE", key, part_lifetime_s}};
  return run_all(commands);
}

Result<void> RedisStream::write_seed(const Seed& seed, std::span<const Change> changes) {
  const std::string key = layout::seed_prefix + seed.life;
  std::vector<Command> commands;
  for (const Change& change : changes) {
    commands.push_back({"XADD", key, std::to_string(change.seq.value) + "-0", "c", feed::encode_change(change)});
  }
  // A relay that dies here leaves a seed that nobody names: it expires.
  commands.push_back({"EXPIRE", key, part_lifetime_s});
  return run_all(commands);
}

Result<void> RedisStream::discard(const Snapshot& snapshot, const Seed& seed) {
  const auto reply = run({"UNLINK", layout::snapshot_prefix + snapshot.name, layout::seed_prefix + seed.life});
  if (!reply) return reply.error();
  return {};
}

Result<Published> RedisStream::begin(const Snapshot& snapshot, const Seed& seed) {
  auto keys = stream_keys;
  keys.push_back(layout::seed_prefix + seed.life);
  keys.push_back(layout::snapshot_prefix + snapshot.name);
  return published(run(Command::call(
      scripts::begin(), keys,
      {seed.life, epoch_text(snapshot.end.position.epoch), std::to_string(seed.base.position.seq.value),
       seed.base_nonce_known ? nonce_text(seed.base.nonce) : "", std::to_string(snapshot.end.position.seq.value),
       nonce_text(snapshot.end.nonce), snapshot.name, std::to_string(snapshot.chunks)})));
}

Result<Published> RedisStream::attach(const std::string& life, const Snapshot& snapshot) {
  auto keys = stream_keys;
  keys.push_back(layout::snapshot_prefix + snapshot.name);
  return published(
      run(Command::call(scripts::attach(), keys,
                        {life, snapshot.name, std::to_string(snapshot.end.position.seq.value),
                         nonce_text(snapshot.end.nonce), std::to_string(snapshot.chunks), layout::snapshot_prefix})));
}

}  // namespace latchkey::relay
