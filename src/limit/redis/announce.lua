-- A replica says that it is there, after store_clock.lua.
--
--   latchkey:limit:replicas   zset   replicas by the store's time of their last call
--
-- KEYS[3] latchkey:limit:replicas    ARGV[8] 1: it is there, 0: it leaves
-- Answers {replicas heard of in the last five seconds, raw, steps, calls, 1: certain, memory}.
local replicas = KEYS[3]
if ARGV[8] == '1' then redis.call('ZADD', replicas, string.format('%d', store.now), ARGV[4])
else redis.call('ZREM', replicas, ARGV[4]) end
redis.call('ZREMRANGEBYSCORE', replicas, '-inf', string.format('(%d', store.now - 5000))
return {redis.call('ZCARD', replicas), store.raw, store.steps, store.calls, store.certain and 1 or 0,
        store.memory}
