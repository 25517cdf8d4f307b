#include "limit/redis/redis_permit_store.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/log.hpp"
#include "redis/remedy.hpp"

namespace latchkey::embedded {
extern const std::string_view limit_store_clock_lua;
extern const std::string_view limit_lease_lua;
extern const std::string_view limit_announce_lua;
}  // namespace latchkey::embedded

namespace latchkey::limit::lease {
namespace {

using redis::Command;
using redis::Script;

const std::string prefix = "latchkey:limit:";
constexpr auto word_every = std::chrono::seconds(10);
constexpr auto meets_every = std::chrono::seconds(1);

const Script& script_of(std::string_view body) {
  static const auto text = [](std::string_view part) {
    return std::string(embedded::limit_store_clock_lua).append(part);
  };
  static const Script lease(text(embedded::limit_lease_lua));
  static const Script announce(text(embedded::limit_announce_lua));
  return body == embedded::limit_lease_lua ? lease : announce;
}

/// A field of an INFO reply; empty if there is none.
std::string_view field_of(std::string_view info, std::string_view name) {
  const auto at = info.find(std::string(name) + ":");
  if (at == info.npos) return {};
  const auto value = info.substr(at + name.size() + 1);
  return value.substr(0, value.find_first_of("\r\n"));
}

std::uint64_t number_of(std::string_view digits, int base) {
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  return number;
}

/// Which life of which server this is; never 0. A process has a run id; whatever it evicts it forgets; and once it has
/// followed another server it has that one's history (its second replication id), up to a point.
std::uint64_t run_of(std::string_view info) {
  constexpr std::uint64_t spread = 0x9E3779B97F4A7C15;
  constexpr std::pair<std::string_view, int> fields[] = {
      {"run_id", 16}, {"evicted_keys", 10}, {"master_replid2", 16}, {"second_repl_offset", 10}};
  std::uint64_t run = 0;
  for (const auto& [name, base] : fields) run = (run ^ number_of(field_of(info, name).substr(0, 16), base)) * spread;
  return std::max<std::uint64_t>(run, 1);
}

/// lease.lua: what is held of the key is none of ours.
bool is_broken_record(const redis::Reply& reply) { return reply.is_error() && reply.text.starts_with("BROKEN"); }

Error not_understood(const redis::Reply& reply) {
  return Error(ErrorCode::internal, "The shared limiter is not available.",
               reply.is_error() ? "redis: a script failed: " + redis::refusal(reply.text, "EVALSHA")
                                : "redis: a reply of another shape");
}

bool all_integers(const redis::Reply& reply, std::size_t count) {
  if (!reply.is_array() || reply.elements.size() != count) return false;
  for (const auto& element : reply.elements) {
    if (!element.is_integer()) return false;
  }
  return true;
}

Reply reply_of(const redis::Reply& reply) {
  const auto at = [&](std::size_t i) { return reply.elements[i].integer; };
  const auto number = [&](std::size_t i) { return static_cast<std::uint64_t>(at(i)); };
  return {.granted = static_cast<std::uint32_t>(at(0)),
          .now_ms = at(1),
          .used = static_cast<std::uint32_t>(at(2)),
          .limit = static_cast<std::uint32_t>(at(3)),
          .version = {number(4)},
          .reset_at_ms = at(5),
          .free_at_ms = at(6),
          .ask_at_ms = at(7),
          .raw_ms = at(8),
          .steps = number(9),
          .calls = number(10),
          .certain = at(11) == 1,
          .empty_at_ms = at(12),
          .bounds = static_cast<Bounds>(at(13)),
          .entered_ms = at(14),
          .memory = at(15),
          .store_certain = at(16) == 1,
          .fast_raw_ms = at(17),
          .fast_steps = number(18),
          .fast_calls = number(19),
          .fast_certain = at(20) == 1};
}
constexpr std::size_t reply_words = 21;

std::string record_of(const Call& call) {
  if (call.counter == per_minute_counter) return prefix + "key:" + call.key.to_string();
  return fmt::format("{}count:{}:{:016x}", prefix, call.key.to_string(), call.counter);
}

}  // namespace

RedisPermitStore::RedisPermitStore(redis::Address address, const Clock& clock, Random& random,
                                   RedisPermitStoreConfig config)
    : link_(std::move(address), config.timeouts, clock), clock_(clock), config_(config) {
  std::array<std::uint8_t, 8> bytes{};
  random.fill(bytes);
  std::memcpy(&caller_.replica, bytes.data(), bytes.size());
}

Result<std::vector<std::optional<Reply>>> RedisPermitStore::ask(std::span<const Call> calls) {
  auto server = connection();
  if (!server) return server.error();
  const BootTime sent = clock_.boot();
  std::vector<Command> commands;
  commands.reserve(calls.size());
  const auto common = arguments(sent);
  for (const Call& call : calls) commands.push_back(command(call, common, sent));
  auto answers = (*server)->run_all(commands);
  if (!answers) return failed(answers.error());
  const BootTime received = clock_.boot();
  std::vector<std::optional<Reply>> replies;
  replies.reserve(answers->size());
  for (const redis::Reply& answer : *answers) {
    if (is_broken_record(answer)) {
      complain_of(calls[replies.size()]);
      replies.emplace_back();
      continue;
    }
    if (!all_integers(answer, reply_words)) return failed(not_understood(answer));
    const Reply reply = reply_of(answer);
    saw(calls[replies.size()], reply, sent, received);
    replies.emplace_back(reply);
  }
  return replies;
}

Command RedisPermitStore::command(const Call& call, const std::vector<std::string>& common, BootTime sent) const {
  const Span& span = call.span;
  Caller fast = caller_;
  fast.vouched_ms = -1;
  fast.steps = fast.calls = 0;
  fast.confirms_clock_step = false;
  if (const auto watch = fast_watches_.find(span.pace()); watch != fast_watches_.end()) {
    watch->second.vouch(fast, paced(sent, span.pace()));
  }
  auto words = common;
  const bool is_plain = call.counter == per_minute_counter;
  for (const std::uint64_t number :
       {std::uint64_t{call.limit.requests_per_minute}, call.limit.version.value, std::uint64_t{call.wanted},
        call.number, call.returned_lease, std::uint64_t{call.returned_permits}, std::uint64_t{call.replicas},
        call.lost_since, call.limit.epoch.value, caller_.replica + call.holder, std::uint64_t{is_plain},
        std::uint64_t{span.window_seconds}, static_cast<std::uint64_t>(span.period.start.count),
        static_cast<std::uint64_t>(span.period.end.count), std::uint64_t{call.least}, std::uint64_t{call.observes},
        call.known_used}) {
    words.push_back(std::to_string(number));
  }
  for (const std::int64_t number : {call.memory, fast.vouched_ms, static_cast<std::int64_t>(fast.steps),
                                    static_cast<std::int64_t>(fast.calls), std::int64_t{fast.confirms_clock_step}}) {
    words.push_back(std::to_string(number));
  }
  std::vector<std::string> keys{prefix + "store", prefix + "no-history", record_of(call),
                                prefix + (is_plain ? "idle" : "until")};
  if (span.is_fast()) keys.push_back(fmt::format("{}{}s", prefix, span.pace()));
  return Command::call(script_of(embedded::limit_lease_lua), keys, words);
}

/// By a clock of that pace. It counts from when this process began: years of uptime, sixty times, would be too much.
BootTime RedisPermitStore::paced(BootTime time, std::uint32_t pace) const {
  return {(time - begun_).count() * Span::minute / pace};
}

void RedisPermitStore::saw(const Call& call, const Reply& reply, BootTime sent, BootTime received) {
  Reply of_store = reply;
  of_store.certain = reply.store_certain;
  watch_.saw(of_store, sent, received);
  if (!call.span.is_fast()) return;
  const std::uint32_t pace = call.span.pace();
  const Reply of_fast{
      .raw_ms = reply.fast_raw_ms, .steps = reply.fast_steps, .calls = reply.fast_calls, .certain = reply.fast_certain};
  fast_watches_[pace].saw(of_fast, paced(sent, pace), paced(received, pace));
}

void RedisPermitStore::complain_of(const Call& call) {
  const BootTime now = clock_.boot();
  if (now < next_word_) return;
  next_word_ = now + word_every;
  log_error(
      "limiter: what stands at {} in Redis is not ours. Its requests are refused for as long as what was admitted "
      "before "
      "may count, and then the record begins anew by itself; delete it at no time, or what was admitted before is "
      "admitted "
      "again",
      record_of(call));
}

Result<PermitStore::Announced> RedisPermitStore::announce(Presence presence) {
  auto server = connection();
  if (!server) return server.error();
  const BootTime sent = clock_.boot();
  auto words = arguments(sent);
  words.push_back(presence == Presence::here ? "1" : "0");
  const auto answer = (*server)->run(Command::call(
      script_of(embedded::limit_announce_lua), {prefix + "store", prefix + "no-history", prefix + "replicas"}, words));
  if (!answer) return failed(answer.error());
  if (!all_integers(*answer, 6)) return failed(not_understood(*answer));
  const auto at = [&](std::size_t i) { return answer->elements[i].integer; };
  watch_.saw({.raw_ms = at(1),
              .steps = static_cast<std::uint64_t>(at(2)),
              .calls = static_cast<std::uint64_t>(at(3)),
              .certain = at(4) == 1},
             sent, clock_.boot());
  return Announced{.replicas = static_cast<std::uint32_t>(at(0)), .memory = at(5)};
}

/// A server that fails a command is met again: it may have become a follower, or full.
Error RedisPermitStore::failed(Error error) {
  met_at_ = {};
  return error;
}

Result<redis::Connection*> RedisPermitStore::connection() {
  auto server = link_.get();
  if (!server) return server;
  if (knows_server()) return server;
  if (auto met = meet(**server); !met) {
    link_.drop();
    return met.error();
  }
  met_generation_ = link_.generation();
  met_at_ = clock_.boot();
  return server;
}

bool RedisPermitStore::knows_server() const {
  return link_.generation() == met_generation_ && clock_.boot() - met_at_ < meets_every;
}

/// Learns which life of which server this connection leads to.
Result<void> RedisPermitStore::meet(redis::Connection& server) {
  const auto info = server.run({"INFO", "server", "memory", "stats", "replication"});
  if (!info) return info.error();
  const std::string_view mode = field_of(info->text, "redis_mode");
  if (mode == "sentinel" || mode == "cluster") {
    return Error(ErrorCode::internal, "The shared limiter is not available.",
                 "redis: " + std::string(mode == "sentinel" ? redis::sentinel : redis::cluster));
  }
  const bool may_evict =
      field_of(info->text, "maxmemory") != "0" && field_of(info->text, "maxmemory_policy") != "noeviction";
  if (may_evict) {
    return Error(ErrorCode::internal, "The shared limiter is not available.",
                 "redis: maxmemory-policy must be noeviction: what is evicted could be admitted again");
  }
  const std::uint64_t run = run_of(info->text);
  if (run != caller_.run) {
    watch_.forget();
    fast_watches_.clear();
  }
  caller_.run = run;
  return {};
}

/// What comes first in each script.
std::vector<std::string> RedisPermitStore::arguments(BootTime sent) const {
  Caller caller = caller_;
  watch_.vouch(caller, sent);
  const std::string raw =
      config_.server_clock == nullptr ? "" : std::to_string(config_.server_clock->boot().nanos / 1'000);
  return {std::to_string(caller.run),
          std::to_string(caller.vouched_ms),
          std::to_string(caller.steps),
          std::to_string(caller.replica),
          caller.confirms_clock_step ? "1" : "0",
          std::to_string(caller.calls),
          raw};
}

}  // namespace latchkey::limit::lease
