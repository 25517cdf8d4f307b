-- Asks Latchkey about a request: http-request lua.latchkey URL
-- 200: the identity headers of the answer replace what the client sent under these names. Anything else is the client's
-- answer, as Latchkey gave it. No answer within 3 s: 503.

local identity = { "x-latchkey-user", "x-latchkey-user-encoded", "x-latchkey-key-id", "x-latchkey-plan", "x-latchkey-scopes" }
local asked = { "authorization", "x-api-key", "origin", "access-control-request-method" }
local told = { "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "content-type" }

local unavailable = { status = 503, reason = "Service Unavailable",
  headers = { ["retry-after"] = { "1" }, ["content-type"] = { "application/problem+json" } },
  body = '{"type":"/problems/unavailable","title":"Cannot be decided now","status":503}' }

-- All values of these headers, as the client sent them. HAProxy counts them from 0.
local function values(headers, names)
  local found = {}
  for _, name in ipairs(names) do
    local list = headers[name]
    if list ~= nil then
      local copy, i = {}, 0
      while list[i] ~= nil do copy[#copy + 1] = list[i]; i = i + 1 end
      found[name] = copy
    end
  end
  return found
end

local function refuse(txn, answer)
  local reply = txn:reply({ status = answer.status, reason = answer.reason })
  for _, name in ipairs(told) do
    for _, value in pairs(answer.headers[name] or {}) do reply:add_header(name, value) end
  end
  if answer.body ~= nil then reply:set_body(answer.body) end
  txn:done(reply)
end

core.register_action("latchkey", { "http-req" }, function(txn, url)
  local question = values(txn.http:req_get_headers(), asked)
  -- Set, never added: a client's own do not pass.
  question["x-original-uri"] = { txn.sf:pathq() }
  question["x-original-method"] = { txn.sf:method() }
  question["x-forwarded-for"] = { txn.sf:src() }
  local answer = core.httpclient():get({ url = url, headers = question, timeout = 3000 })
  -- Where nobody answers in time, HAProxy makes an answer of its own, which has no position.
  if answer == nil or answer.headers == nil or answer.headers["latchkey-position"] == nil then
    return refuse(txn, unavailable)
  end
  if answer.status ~= 200 then return refuse(txn, answer) end
  for _, name in ipairs(identity) do
    local value = answer.headers[name]
    txn.http:req_set_header(name, value ~= nil and (value[0] or value[1]) or "")
  end
end, 1)
