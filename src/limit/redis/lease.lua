-- One call about one key: PermitRecord of permit_book.hpp, after store_clock.lua.
--
--   latchkey:limit:key:<key id>   hash   <slot>        permits granted in that half second of the store's time
--                                        e, v, n       the epoch and version of the limit in force, and that limit
--                                        w             the slot in which that version was last named
--                                        m, x          the most that is admitted after the epoch changed in slot x
--                                        t             the slot of the last call
--                                        l<replica>    that replica's latest lease: <number>:<slot>:<granted>
--   latchkey:limit:idle           zset   the hashes above by slot of their last call
--
-- The hashes are forgotten by the store's time once nothing in them counts, two a call, and never by PEXPIRE: a server
-- whose clock steps forward would forget permits that were taken a moment ago.
--
-- KEYS[3] the key's hash    KEYS[4] latchkey:limit:idle
-- A hash that is none of ours refuses its key for as long as permits of before may count; then it is forgotten like the
-- others. Nobody need delete it: a moment too late that deletes the permits of its successor.
--
-- ARGV[8] limit  [9] version  [10] wanted  [11] number  [12] returned lease  [13] returned permits  [14] replicas
-- [15] lost since, 0: none  [16] epoch
-- Answers Reply of lease_protocol.hpp, {granted, now, used, limit, version, reset at, free at, ask at, raw, steps,
-- calls, 1: certain}; the error BROKEN where what stands at the key is none of ours.
local slots_to_return, slots_to_await = @slots_to_return@, @slots_to_await@
local key, idle, mine = KEYS[3], KEYS[4], 'l' .. ARGV[4]
local slot = math.floor(now / slot_ms)
local wanted = tonumber(ARGV[10])

local record, granted, leases, gone, change = {}, {}, {}, {}, {}
local of_epoch
local function read(fields)
  if fields.err then return false end
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    local at, number = tonumber(name), tonumber(value)
    if at and number then
      if at <= slot - slots then gone[#gone + 1] = name else granted[at] = number end
    elseif #name == 1 and number then
      record[name] = number
      if name == 'e' then of_epoch = value end
    elseif value:match('^%d+:%d+:%d+$') then
      leases[name] = value
    else
      return false
    end
  end
  return true
end
local fields = redis.pcall('HGETALL', key)
if not read(fields) then
  redis.call('ZADD', idle, 'NX', slot, key)
  local last_call = tonumber(redis.call('ZADD', idle, 'INCR', 0, key))
  if last_call > slot - slots - 2 then return redis.error_reply('BROKEN ' .. key) end
  redis.call('DEL', key)
  redis.call('ZREM', idle, key)
  fields, record, granted, leases, gone, of_epoch = {}, {}, {}, {}, {}, nil
end
local function put(name, value)
  change[#change + 1] = name
  change[#change + 1] = value
end

local named, named_version, epoch = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[16]
local version, limit, most, capped_at = record.v or 0, record.n or 0, record.m, record.x
local function in_force()
  return capped_at and slot - capped_at <= slots and math.min(limit, most) or limit
end
local forgotten = limit == 0 or slot - (record.w or 0) > slots
local of_another_epoch = not forgotten and epoch ~= of_epoch
if of_another_epoch then most, capped_at = math.min(in_force(), named), slot end
if forgotten or of_another_epoch or named_version > version then version, limit = named_version, named end
if wanted > 0 then
  if forgotten or of_another_epoch then put('e', epoch) end
  put('v', version)
  put('n', limit)
  if of_another_epoch then
    put('m', most)
    put('x', slot)
  end
  if named_version >= version then put('w', slot) end
end
limit = in_force()

local may_return, awaited = false, true
local call, lost_since = tonumber(ARGV[11]), tonumber(ARGV[15])
for name, value in pairs(leases) do
  local number, at, permits = value:match('(%d+):(%d+):(%d+)')
  number, at, permits = tonumber(number), tonumber(at), tonumber(permits)
  local lost = lost_since > 0 and number >= lost_since
  if at < slot - slots_to_return then
    gone[#gone + 1] = name
  elseif name ~= mine then
    if at >= slot - slots_to_await then may_return = true end
  elseif number >= call then
    awaited = false
  elseif lost or number == tonumber(ARGV[12]) then
    if granted[at] then
      granted[at] = granted[at] - math.min(lost and permits or tonumber(ARGV[13]), permits, granted[at])
      if granted[at] == 0 then
        granted[at] = nil
        gone[#gone + 1] = string.format('%d', at)
      else
        put(string.format('%d', at), granted[at])
      end
    end
    gone[#gone + 1] = name
  end
end

local used = 0
for _, permits in pairs(granted) do used = used + permits end
local grant = 0
if certain and awaited and now >= closed_until and used < limit then
  grant = math.min(wanted, math.floor((limit - used - 1) / tonumber(ARGV[14])) + 1)
end
if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
if grant > 0 then
  used = used + grant
  granted[slot] = (granted[slot] or 0) + grant
  put(string.format('%d', slot), granted[slot])
  put(mine, ARGV[11] .. ':' .. string.format('%d', slot) .. ':' .. grant)
end

if wanted > 0 or #fields > 0 then
  put('t', slot)
  redis.call('HSET', key, unpack(change))
  if record.t ~= slot then redis.call('ZADD', idle, slot, key) end
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', idle, '-inf', slot - slots - 2, 'LIMIT', 0, 2)) do
  redis.call('DEL', name)
  redis.call('ZREM', idle, name)
end

local reset_at, free_at = now, now
if used > 0 then
  local taken = {}
  for at in pairs(granted) do taken[#taken + 1] = at end
  table.sort(taken)
  reset_at = (taken[1] + slots) * slot_ms
  local left = used
  for i = 1, #taken do
    if left < limit then break end
    left = left - granted[taken[i]]
    free_at = (taken[i] + slots) * slot_ms
  end
end
free_at = math.max(free_at, closed_until)
local ask_at = free_at
if may_return and now >= closed_until then ask_at = math.min(free_at, (slot + 1) * slot_ms) end
if not certain then ask_at = now end
return {grant, now, used, limit, version, reset_at, free_at, ask_at, raw, steps, calls, certain and 1 or 0}
