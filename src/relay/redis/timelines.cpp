#include "relay/redis/timelines.hpp"

#include "feed/redis/layout.hpp"
#include "redis/remedy.hpp"

namespace latchkey::relay {
namespace {

// KEYS: timelines. ARGV: system, timeline. Answers the highest, and whether this one raised it.
const redis::Script& claim_script() {
  static const redis::Script script(R"lua(
local before = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '')
local own = tonumber(ARGV[2])
if before and before >= own then return {before, 0} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return {own, before and 1 or 0}
)lua");
  return script;
}

}  // namespace

Result<Claim> RedisTimelines::claim(const Lineage& own) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const std::string key = feed::redis_layout::prefix + "timelines";
  const auto reply =
      (*connection)->run(redis::Command::call(claim_script(), {key}, {own.system, std::to_string(own.timeline)}));
  if (!reply) return redis::with_remedy(reply.error(), "DEL " + key + ", and it is made anew");
  if (reply->elements.size() != 2) return Error(ErrorCode::unavailable, "what stands in Redis is not ours", key);
  return Claim{static_cast<std::uint64_t>(reply->elements[0].integer), reply->elements[1].integer == 1};
}

}  // namespace latchkey::relay
