#include "relay/redis/scripts.hpp"

namespace latchkey::relay::scripts {
namespace {

// The nonce of change `seq` of the log, nil when it has none. Bytes 2 to 9 (from 1) of an entry: feed/record.hpp.
constexpr const char* nonce_at = R"lua(
local function nonce_at(seq)
  local id = string.format('%.0f-0', seq)
  local entry = redis.call('XRANGE', KEYS[2], id, id)
  return entry[1] and string.sub(entry[1][2][2], 2, 9) or nil
end
)lua";

constexpr const char* look_text = R"lua(
local h = redis.call('HMGET', KEYS[1], 'life', 'epoch', 'base', 'last', 'last_nonce', 'tick', 'snap_seq', 'snap',
  'snap_chunks')
if not h[1] then return {} end
local snapshot_whole = redis.call('HLEN', ARGV[1] .. h[8]) == tonumber(h[9])
local log_whole = redis.call('XLEN', KEYS[2]) == tonumber(h[4]) - tonumber(h[3])
return {h[1], h[2], h[3], h[4], h[5], h[6], h[7], snapshot_whole and '1' or '0', log_whole and '1' or '0'}
)lua";

constexpr const char* tick_text = R"lua(
local h = redis.call('HMGET', KEYS[1], 'life', 'last', 'epoch')
if h[1] ~= ARGV[1] or h[3] ~= ARGV[2] then return {} end
return {redis.call('HINCRBY', KEYS[1], 'tick', 1), tonumber(h[2])}
)lua";

constexpr const char* append_text = R"lua(
local h = redis.call('HMGET', KEYS[1], 'life', 'base', 'last', 'last_nonce', 'beat_tick')
if h[1] ~= ARGV[1] then return {'life', 0, 0} end
local base, last, last_nonce = tonumber(h[2]), tonumber(h[3]), h[4]
local after, count = tonumber(ARGV[2]), #ARGV - 4
if redis.call('XLEN', KEYS[2]) ~= last - base then return {'damaged', 0, 0} end
if after > last then return {'behind', 0, 0} end

-- Where both have a change it must be the same one: at `after`, and at the last that both have.
if ARGV[3] ~= '' and after > base and nonce_at(after) ~= ARGV[3] then return {'fork', 0, 0} end
local duplicates = math.min(count, last - after)
if duplicates > 0 and after + duplicates > base
    and nonce_at(after + duplicates) ~= string.sub(ARGV[4 + duplicates], 2, 9) then
  return {'fork', 0, 0}
end

for i = duplicates + 1, count do
  last = after + i
  last_nonce = string.sub(ARGV[4 + i], 2, 9)
  redis.call('XADD', KEYS[2], string.format('%.0f-0', last), 'c', ARGV[4 + i])
end
if count > duplicates then
  redis.call('HSET', KEYS[1], 'last', string.format('%.0f', last), 'last_nonce', last_nonce)
end
local beats = ARGV[4] ~= '' and tonumber(ARGV[4]) > tonumber(h[5])
if beats then redis.call('HSET', KEYS[1], 'beat_seq', string.format('%.0f', after + count), 'beat_tick', ARGV[4]) end
if beats or count > duplicates then redis.call('XADD', KEYS[3], 'MAXLEN', 1, '*', 'n', '') end
return {'done', count - duplicates, duplicates}
)lua";

constexpr const char* end_text = R"lua(
local h = redis.call('HMGET', KEYS[1], 'life', 'snap', 'prev')
if h[1] ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2], ARGV[2] .. h[2], ARGV[2] .. h[3])
redis.call('XADD', KEYS[3], 'MAXLEN', 1, '*', 'n', '')
return 1
)lua";

constexpr const char* begin_text = R"lua(
if redis.call('HEXISTS', KEYS[1], 'life') == 1 then return 'taken' end
local entries = tonumber(ARGV[5]) - tonumber(ARGV[3])
if redis.call('HLEN', KEYS[5]) ~= tonumber(ARGV[8]) or redis.call('XLEN', KEYS[4]) ~= entries then
  return 'incomplete'
end
redis.call('UNLINK', KEYS[1], KEYS[2])
if entries > 0 then
  redis.call('RENAME', KEYS[4], KEYS[2])
  redis.call('PERSIST', KEYS[2])
end
redis.call('PERSIST', KEYS[5])
redis.call('HSET', KEYS[1], 'life', ARGV[1], 'epoch', ARGV[2], 'base', ARGV[3], 'base_nonce', ARGV[4], 'last', ARGV[5],
  'last_nonce', ARGV[6], 'tick', 0, 'beat_seq', 0, 'beat_tick', 0, 'snap', ARGV[7], 'snap_seq', ARGV[5],
  'snap_nonce', ARGV[6], 'snap_chunks', ARGV[8], 'prev', '', 'prev_seq', ARGV[5])
redis.call('XADD', KEYS[3], 'MAXLEN', 1, '*', 'n', '')
return 'done'
)lua";

constexpr const char* attach_text = R"lua(
local h = redis.call('HMGET', KEYS[1], 'life', 'base', 'last', 'snap', 'snap_seq', 'snap_nonce', 'prev', 'base_nonce',
  'snap_chunks')
if h[1] ~= ARGV[1] then return 'taken' end
local base, last, seq, current = tonumber(h[2]), tonumber(h[3]), tonumber(ARGV[3]), tonumber(h[5])
if redis.call('HLEN', KEYS[4]) ~= tonumber(ARGV[5]) then return 'incomplete' end
if seq > last then return 'early' end
local current_whole = redis.call('HLEN', ARGV[6] .. h[4]) == tonumber(h[9])
if seq < base or (seq <= current and current_whole) then return 'taken' end
local nonce
if seq == base then nonce = h[8] else nonce = nonce_at(seq) end
if nonce ~= ARGV[4] then return 'fork' end

-- A reader of the snapshot before this one needs the log from there on, and some time.
if current_whole and current > base then
  redis.call('XTRIM', KEYS[2], 'MINID', string.format('%.0f-0', current + 1))
  redis.call('HSET', KEYS[1], 'base', string.format('%.0f', current), 'base_nonce', h[6])
end
redis.call('UNLINK', ARGV[6] .. h[7])
redis.call('EXPIRE', ARGV[6] .. h[4], 600)
redis.call('PERSIST', KEYS[4])
redis.call('HSET', KEYS[1], 'snap', ARGV[2], 'snap_seq', ARGV[3], 'snap_nonce', ARGV[4], 'snap_chunks', ARGV[5],
  'prev', h[4], 'prev_seq', h[5])
return 'done'
)lua";

}  // namespace

const redis::Script& look() {
  static const redis::Script script(look_text);
  return script;
}

const redis::Script& tick() {
  static const redis::Script script(tick_text);
  return script;
}

const redis::Script& append() {
  static const redis::Script script(std::string(nonce_at) + append_text);
  return script;
}

const redis::Script& end() {
  static const redis::Script script(end_text);
  return script;
}

const redis::Script& begin() {
  static const redis::Script script(begin_text);
  return script;
}

const redis::Script& attach() {
  static const redis::Script script(std::string(nonce_at) + attach_text);
  return script;
}

}  // namespace latchkey::relay::scripts
