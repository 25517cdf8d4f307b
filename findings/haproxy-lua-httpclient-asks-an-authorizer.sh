#!/usr/bin/env bash
# HAProxy 2.6 (Debian 12): its built-in Lua has an HTTP client, so an action of 15 lines asks an external authorizer and hands its whole
# refusal on, with status, headers and body; the client keeps its connections.
#
# One would think: external authorization needs SPOE, or the Lua scripts haproxy-auth-request and haproxy-lua-http with their JSON
# library, and a subrequest opens a connection each time.
# Seen: core.httpclient() (since 2.5) is enough; 10 requests used one connection. Tables of headers count from 0, those of
# req_get_headers() and those of the answer alike, so `ipairs` drops the first value and most headers have but one.
# What follows: no package, and `pairs` for header values.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
command -v python3 >/dev/null && command -v curl >/dev/null || exit 77
apt-get download -q haproxy=2.6.12-1+deb12u4 liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
cat > server.py <<'PY'
import http.server, os
connections = 0
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def setup(self):
        global connections
        super().setup()
        if self.server is authorizer: connections += 1
    def do_GET(self):
        body = b""
        if self.server is api: body = b"api\n"
        elif self.path == "/connections": body = b"%d\n" % (connections - 1)  # but for the one that asks
        elif self.headers["X-Api-Key"] != "good": body = b'{"title":"too many"}\n'
        self.send_response(429 if b"title" in body else 200)
        if b"title" in body:
            self.send_header("Retry-After", "7")
            self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
import threading
authorizer, api = (http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in "ab")
open("ports.new", "w").write("%d %d\n" % (authorizer.server_port, api.server_port)); os.rename("ports.new", "ports")
threading.Thread(target=api.serve_forever, daemon=True).start()
authorizer.serve_forever()
PY
python3 server.py 2>/dev/null & pids+=($!)
for _ in {1..100}; do [ -e ports ] && break; sleep 0.1; done
read -r authorizer api < ports
port=$((20000 + RANDOM % 10000))
cat > ask.lua <<LUA
local function tally(each, list)
  local n = 0
  for _ in each(list) do n = n + 1 end
  return n
end
core.register_action("ask", { "http-req" }, function(txn)
  local key = txn.http:req_get_headers()["x-api-key"] or {}
  txn:set_var("txn.counted", "ipairs " .. tally(ipairs, key) .. ", pairs " .. tally(pairs, key))
  local answer = core.httpclient():get({ url = "http://127.0.0.1:$authorizer/", headers = { ["x-api-key"] = { key[0] or "" } }, timeout = 5000 })
  if answer.status == 200 then return end
  local reply = txn:reply({ status = answer.status, body = answer.body })
  for _, name in ipairs({ "retry-after", "content-type" }) do
    for _, value in pairs(answer.headers[name] or {}) do reply:add_header(name, value) end
  end
  txn:done(reply)
end, 0)
LUA
cat > haproxy.cfg <<CFG
global
  lua-load ask.lua
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
frontend in
  bind 127.0.0.1:$port
  http-request lua.ask
  http-response set-header X-Counted %[var(txn.counted)]
  default_backend api
backend api
  server api 127.0.0.1:$api
CFG
root/usr/sbin/haproxy -q -f haproxy.cfg & pids+=($!)
for _ in {1..100}; do curl -s -o /dev/null "http://127.0.0.1:$port/" && break; sleep 0.1; done
before=$(curl -s "http://127.0.0.1:$authorizer/connections")
{
  root/usr/sbin/haproxy -v | grep -oE 'version 2\.6'
  curl -si "http://127.0.0.1:$port/" | tr -d '\r' | grep -iE '^HTTP|^retry-after|^content-type|title'
  for _ in {1..10}; do curl -s -H 'X-API-Key: good' "http://127.0.0.1:$port/"; done | sort | uniq -c | sed 's/^ *//'
  curl -si -H 'X-API-Key: good' "http://127.0.0.1:$port/" | tr -d '\r' | grep -i '^x-counted'
  # A connection more than before is the one that asked for the first number.
  now=$(curl -s "http://127.0.0.1:$authorizer/connections")
  echo "more connections for 12 questions: $((now - before - 1))"
} | tee out
cat > expected <<'T'
version 2.6
HTTP/1.1 429 Too Many Requests
retry-after: 7
content-type: application/problem+json
{"title":"too many"}
10 api
x-counted: ipairs 0, pairs 1
more connections for 12 questions: 0
T
diff expected out
