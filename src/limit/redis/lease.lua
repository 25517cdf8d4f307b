-- One call about one counter: PermitRecord of permit_book.hpp, after store_clock.lua.
--
--   latchkey:limit:key:<key id>   hash   the count of requestsPerMinute
--   latchkey:limit:count:<id>     hash   any other count, by its owner and its limit:
--                                        <slot>        units granted in that slot of the counter's clock (span.hpp)
--                                        e, v, n       the epoch and version of the limit in force, and that limit
--                                        w             the half second in which that version was last named
--                                        m, x          the most that is admitted after the epoch changed in half second x
--                                        t             the half second of the last call
--                                        p             the start of the period that is counted
--                                        l<replica>    that replica's latest lease: <number>:<slot>:<granted>[:<beat>]
--   latchkey:limit:idle           zset   the first kind by half second of their last call
--   latchkey:limit:until          zset   the second kind by the store's time from which nothing in them counts
--   latchkey:limit:<W>s           hash   the fast clock of windows of W < 60 seconds, as latchkey:limit:store
--
-- The hashes are forgotten by the store's time once nothing in them counts, two a call, and never by PEXPIRE: a server
-- whose clock steps forward would forget permits that were taken a moment ago.
--
-- KEYS[3] the counter's hash    KEYS[4] the zset that it is in    KEYS[5] the fast clock
-- A hash that is none of ours refuses its counter for as long as permits of before may count; then it is forgotten like the
-- others. Nobody need delete it: a moment too late that deletes the permits of its successor.
--
-- ARGV[8] limit  [9] version  [10] wanted  [11] number  [12] returned lease  [13] returned permits  [14] replicas
-- [15] lost since, 0: none  [16] epoch  [17] holder, in place of ARGV[4]  [18] 1: of the first kind  [19] window in
-- seconds, 0: a period  [20] its start  [21] its end  [22] least  [23] 1: observes  [24] known used  [25] memory
-- [26] vouched  [27] steps  [28] calls  [29] 1: confirms_clock_step, of the fast clock
-- Answers Reply of lease_protocol.hpp, {granted, now, used, limit, version, reset at, free at, ask at, raw, steps,
-- calls, 1: certain, empty at, bounds, entered, memory, 1: the store's own clock is, fast raw, steps, calls, 1: certain};
-- the error BROKEN where what stands at the key is none of ours.
local slots_to_return, slots_to_await = @slots_to_return@, @slots_to_await@
local slots_to_return_long = @slots_to_return_long@
local key, kind, mine = KEYS[3], KEYS[4], 'l' .. ARGV[17]
local wanted, least, observes = tonumber(ARGV[10]), tonumber(ARGV[22]), ARGV[23] == '1'
local is_plain, window = ARGV[18] == '1', tonumber(ARGV[19])
local starts, ends = tonumber(ARGV[20]), tonumber(ARGV[21])
local is_period = window == 0
local is_long = is_period or window > 60
local half_second = math.floor(store.now / slot_ms)

local now, certain, closed_until = store.now, store.certain, store.closed_until
local fast = {raw = 0, steps = 0, calls = 0, certain = true}
if not is_long and window < 60 then
  fast = advance(
    KEYS[5], math.floor(raw_us * 3 / (50 * window)),
    {vouched = tonumber(ARGV[26]), steps = tonumber(ARGV[27]), calls = tonumber(ARGV[28]), confirms = ARGV[29] == '1'},
    function() return true end)
  local closed = math.max(0, store.closed_until - store.now)
  now, certain = fast.now, certain and fast.certain
  closed_until = math.max(fast.closed_until, now + math.ceil(closed * 60 / window))
end
local beat = math.floor(now / slot_ms)
local slot = beat
if is_period then slot = starts elseif is_long then slot = math.floor(now * 3 / (25 * window)) end
local function leaves_at(at)
  if is_period then return now + ends - store.raw end
  if is_long then return math.ceil((at + slots) * 25 * window / 3) end
  return (at + slots) * slot_ms
end

local record, granted, leases, gone, change = {}, {}, {}, {}, {}
local of_epoch
local function read(fields)
  if fields.err then return false end
  local first = is_period and starts or slot - slots + 1
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    local at, number = tonumber(name), tonumber(value)
    if at and number then
      if at < first then gone[#gone + 1] = name else granted[at] = number end
    elseif #name == 1 and number then
      record[name] = number
      if name == 'e' then of_epoch = value end
    elseif value:match('^%d+:%d+:%d+:?%d*$') then
      leases[name] = value
    else
      return false
    end
  end
  return true
end
local forgotten_after = math.floor(window * 61 / 30) + 3
local function forgotten_from()
  if is_plain then return half_second end
  if is_period then return store.now + ends - store.raw + 86400000 end
  return (half_second + forgotten_after + 1) * slot_ms
end
local nothing_counts_at = is_plain and half_second - slots - 2 or store.now
local fields = redis.pcall('HGETALL', key)
if not read(fields) then
  redis.call('ZADD', kind, 'NX', string.format('%d', forgotten_from()), key)
  local last = tonumber(redis.call('ZADD', kind, 'INCR', 0, key))
  if last > nothing_counts_at then return redis.error_reply('BROKEN ' .. key) end
  redis.call('DEL', key)
  redis.call('ZREM', kind, key)
  fields, record, granted, leases, gone, of_epoch = {}, {}, {}, {}, {}, nil
elseif not is_plain and not is_period and record.t and half_second - record.t > forgotten_after then
  redis.call('DEL', key)
  fields, record, granted, leases, gone, of_epoch = {}, {}, {}, {}, {}, nil
end
local function put(name, value)
  change[#change + 1] = name
  change[#change + 1] = value
end

local named, named_version, epoch = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[16]
local version, limit, most, capped_at = record.v or 0, record.n or 0, record.m, record.x
local function in_force()
  return capped_at and half_second - capped_at <= slots and math.min(limit, most) or limit
end
local forgotten = limit == 0 or half_second - (record.w or 0) > slots
local of_another_epoch = not forgotten and epoch ~= of_epoch
if of_another_epoch then most, capped_at = math.min(in_force(), named), half_second end
if forgotten or of_another_epoch or named_version > version then version, limit = named_version, named end

local entered, bounds = record.p or 0, 0
if is_period then
  if store.raw >= ends then bounds = 1
  elseif starts < entered then bounds = 3
  elseif store.raw < starts and starts ~= entered then bounds = 2 end
end
local function answer(grant, used, reset_at, free_at, ask_at, empty_at)
  return {grant, now, math.min(used, 4294967295), in_force(), version, reset_at, free_at, ask_at, store.raw, store.steps,
          store.calls, certain and 1 or 0, empty_at, bounds, entered, store.memory, store.certain and 1 or 0, fast.raw,
          fast.steps, fast.calls, fast.certain and 1 or 0}
end
if bounds ~= 0 then return answer(0, 0, now, now, now, now) end
if is_period and starts ~= entered then
  entered = starts
  put('p', string.format('%d', starts))
end
if wanted > 0 then
  if forgotten or of_another_epoch then put('e', epoch) end
  put('v', version)
  put('n', limit)
  if of_another_epoch then
    put('m', most)
    put('x', half_second)
  end
  if named_version >= version then put('w', half_second) end
end
limit = in_force()

local used = 0
for _, permits in pairs(granted) do used = used + permits end
local known = tonumber(ARGV[24])
local restores = is_long and certain and known > 0 and tonumber(ARGV[25]) ~= store.memory
local changed = {}
local function add(at, units)
  granted[at] = (granted[at] or 0) + units
  changed[at] = true
end
if restores then
  for at in pairs(granted) do
    changed[at] = true
    granted[at] = nil
  end
  add(slot, math.max(known, used))
end

local may_return, awaited = false, true
local call, lost_since = tonumber(ARGV[11]), tonumber(ARGV[15])
for name, value in pairs(leases) do
  local number, at, permits, of_beat = value:match('(%d+):(%d+):(%d+):?(%d*)')
  number, at, permits = tonumber(number), tonumber(at), tonumber(permits)
  of_beat = tonumber(of_beat) or at
  local lost = lost_since > 0 and number >= lost_since
  if of_beat < beat - (is_long and slots_to_return_long or slots_to_return) then
    gone[#gone + 1] = name
  elseif name ~= mine then
    if of_beat >= beat - slots_to_await then may_return = true end
  elseif number >= call then
    awaited = false
  elseif lost or number == tonumber(ARGV[12]) then
    if granted[at] then
      add(at, -math.min(lost and permits or tonumber(ARGV[13]), permits, granted[at]))
      if granted[at] == 0 then granted[at] = nil end
    end
    gone[#gone + 1] = name
  end
end

used = 0
for _, permits in pairs(granted) do used = used + permits end
local grant = 0
if certain and awaited then
  if observes then grant = wanted
  elseif now >= closed_until and used + least <= limit then
    grant = math.min(wanted, math.max(least, math.floor((limit - used - 1) / tonumber(ARGV[14])) + 1))
  end
end
if grant > 0 then
  used = used + grant
  add(slot, grant)
  put(mine, ARGV[11] .. ':' .. string.format('%d', slot) .. ':' .. grant .. (is_long and ':' .. beat or ''))
end

if wanted > 0 or #fields > 0 or restores then
  put('t', half_second)
  for at in pairs(changed) do
    if granted[at] then put(string.format('%d', at), granted[at]) else gone[#gone + 1] = string.format('%d', at) end
  end
  if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
  redis.call('HSET', key, unpack(change))
  if record.t ~= half_second then redis.call('ZADD', kind, string.format('%d', forgotten_from()), key) end
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', kind, '-inf', string.format('%d', nothing_counts_at), 'LIMIT', 0, 2)) do
  redis.call('DEL', name)
  redis.call('ZREM', kind, name)
end

local reset_at, free_at, empty_at = now, now, now
if used > 0 then
  local taken = {}
  for at in pairs(granted) do taken[#taken + 1] = at end
  table.sort(taken)
  reset_at, empty_at = leaves_at(taken[1]), leaves_at(taken[#taken])
  local left = used
  for i = 1, #taken do
    if left + least <= limit then break end
    left = left - granted[taken[i]]
    free_at = leaves_at(taken[i])
  end
end
free_at = math.max(free_at, closed_until)
local ask_at = free_at
if may_return and now >= closed_until then ask_at = math.min(free_at, (beat + 1) * slot_ms) end
if not certain then ask_at = now end
return answer(grant, used, reset_at, free_at, ask_at, empty_at)
