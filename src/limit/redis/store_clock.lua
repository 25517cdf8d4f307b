-- The store's time: StoreClock of permit_book.hpp. Comes before each script and leaves `store`, the moment by the store's
-- own clock, and advance(), which a script asks for another clock.
--
--   latchkey:limit:store    hash   raw           the server's clock at the last call, ms since 1970
--                                  adjust        the store's time is raw + adjust
--                                  steps         the call that met the clock's last step
--                                  run           the server's run id then: another one means that history may be lost
--                                  calls         executed; fewer than a caller knows of: history is lost
--                                  closed_until  the store's time before which nothing is granted
--   latchkey:limit:no-history      set by an operator (latchkey limiter begin) who knows that nothing was admitted in the
--                                  last minute; a store that finds itself new then opens at once
--
-- KEYS[1] latchkey:limit:store    KEYS[2] latchkey:limit:no-history
-- ARGV[1] run id    ARGV[2] vouched raw ms, -1: none    ARGV[3] steps known    ARGV[4] replica    ARGV[5] 1: confirms_clock_step
-- ARGV[6] calls known    ARGV[7] the server's clock in microseconds, in tests
local slot_ms, slots, tolerance = @slot_ms@, @slots_in_window@, @step_tolerance_ms@

local raw_us = tonumber(ARGV[7])
if not raw_us then
  local time = redis.call('TIME')
  raw_us = time[1] * 1000000 + time[2]
end

-- `opens` is asked whether a clock that finds itself new may open at once.
local function advance(hash, raw, caller, opens)
  local known = redis.call('HMGET', hash, 'raw', 'adjust', 'steps', 'run', 'closed_until', 'calls')
  local last = tonumber(known[1] or raw)
  local adjust = tonumber(known[2] or 0)
  local steps = tonumber(known[3] or 0)
  local closed_until = tonumber(known[5] or 0)
  local calls = tonumber(known[6] or 0)
  local forgot = known[4] == ARGV[1] and calls < caller.calls
  local same_run, certain = known[4] == ARGV[1] and not forgot, true
  local call = math.max(calls, caller.calls) + 1
  if raw < last then
    adjust = adjust + last - raw
    steps = call
  else
    local vouches = same_run and caller.steps == steps and caller.vouched >= 0
    local excess = raw - (vouches and caller.vouched or last)
    if excess > tolerance and same_run and not caller.confirms then
      certain = false
    elseif excess > tolerance then
      adjust = adjust - math.min(excess, raw - last)
      steps = call
    elseif vouches and excess < -tolerance then
      steps = call
    end
  end
  local now = (certain and raw or last) + adjust
  if not same_run then
    closed_until = now + slots * slot_ms
    if not forgot and opens() then closed_until = 0 end
  end
  if certain then
    calls = call
    if forgot then steps = call end
    redis.call('HSET', hash, 'raw', string.format('%d', raw), 'adjust', string.format('%d', adjust),
               'steps', string.format('%d', steps), 'run', ARGV[1], 'closed_until', string.format('%d', closed_until),
               'calls', string.format('%d', calls))
  end
  return {now = now, certain = certain, closed_until = closed_until, raw = raw, steps = steps, calls = calls}
end

local store = advance(
  KEYS[1], math.floor(raw_us / 1000),
  {vouched = tonumber(ARGV[2]), steps = tonumber(ARGV[3]), calls = tonumber(ARGV[6]), confirms = ARGV[5] == '1'},
  function() return redis.call('DEL', KEYS[2]) == 1 end)
-- Names what the store remembers: a loss gives another name.
store.memory = store.closed_until * 1000 + tonumber(ARGV[1]:sub(-3))
