#include "usage/redis/redis_usage_sink.hpp"

#include <thread>

#include "redis/remedy.hpp"
#include "usage/redis/usage_stream.hpp"

namespace latchkey::usage {
namespace {

constexpr std::chrono::seconds again_after{3};
constexpr int looks = 20;  // at the number, within one call
constexpr std::chrono::milliseconds between_looks_at_taken{10};

// KEYS: the stream, the writer's number. ARGV: whether to add, then the entry: its seq is ARGV[5].
const redis::Script& add_and_ask() {
  static const redis::Script script(R"lua(
local taken = redis.pcall('GET', KEYS[2])
taken = type(taken) == 'string' and tonumber(taken)
if taken and taken >= tonumber(ARGV[5]) then return 1 end
if ARGV[1] == '1' then
  redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
  redis.call('XTRIM', KEYS[1], 'MAXLEN', 500)
end
return 0
)lua");
  return script;
}

/// To ask takes no lists.
PackedBatch without_lists(const PackedBatch& batch) {
  return {.writer = batch.writer, .seq = batch.seq, .covered_until = batch.covered_until, .ended = batch.ended};
}

}  // namespace

Result<bool> RedisUsageSink::ask(const PackedBatch& batch, bool add) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  auto words = usage_stream::fields_of(add ? batch : without_lists(batch));
  words.insert(words.begin(), add ? "1" : "0");
  const auto reply = (*connection)
                         ->run(redis::Command::call(
                             add_and_ask(), {usage_stream::batches, usage_stream::taken_prefix + batch.writer}, words));
  if (!reply) return redis::with_remedy(reply.error(), usage_stream::remedy);
  return reply->integer == 1;
}

Result<bool> RedisUsageSink::write(const PackedBatch& batch) {
  const BootTime now = clock_.boot();
  const bool add = added_ != batch.seq || now - added_at_ >= again_after;
  auto taken = ask(batch, add);
  if (!taken) return taken;
  if (add) {
    added_ = batch.seq;
    added_at_ = now;
  }
  for (int look = 0; look < looks && taken && !*taken; ++look) {
    std::this_thread::sleep_for(between_looks_at_taken);
    taken = ask(batch, false);
  }
  return taken;
}

}  // namespace latchkey::usage
