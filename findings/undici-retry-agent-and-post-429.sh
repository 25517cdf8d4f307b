#!/usr/bin/env bash
# npm undici 7.16.0: with RetryAgent, a POST that is answered 429 throws, where a plain Agent hands the answer on.
#
# One would think: a method that is not retried (POST is not among the default `methods`) passes through unchanged.
# Seen: GET is retried as told; for POST the handler turns the 429 into an exception, so status, Retry-After and body reach
# the caller only through the error.
# What follows: a client of a rate-limited API sets `methods`, `statusCodes` or `throwOnError: false` by itself.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v npm >/dev/null || exit 77
npm init -y >/dev/null 2>&1
npm install --silent --no-audit --no-fund undici@7.16.0 >/dev/null 2>&1 || exit 77
cat > t.mjs <<'JS'
import http from 'node:http'
import { Agent, RetryAgent, request } from 'undici'
let calls = 0
const server = http.createServer((req, res) => {
  calls++
  res.writeHead(429, { 'Retry-After': '60', 'Content-Type': 'application/problem+json' }).end('{"type":"/problems/rate-limited"}')
}).listen(0, '127.0.0.1')
await new Promise((done) => server.once('listening', done))
const url = `http://127.0.0.1:${server.address().port}/`
for (const [name, dispatcher] of [['Agent', new Agent()], ['RetryAgent', new RetryAgent(new Agent(), { maxRetries: 1, maxTimeout: 10, minTimeout: 1 })]]) {
  calls = 0
  const result = await request(url, { method: 'POST', body: '{}', dispatcher }).then(
    async (r) => `${r.statusCode} ${r.headers['retry-after']} ${await r.body.text()}`, (e) => `${e.name} ${e.code}`)
  console.log(`${name}: ${result}, ${calls} call`)
}
process.exit(0)
JS
node t.mjs | tee out
cat > expected <<'T'
Agent: 429 60 {"type":"/problems/rate-limited"}, 1 call
RetryAgent: RequestRetryError UND_ERR_REQ_RETRY, 1 call
T
diff expected out
