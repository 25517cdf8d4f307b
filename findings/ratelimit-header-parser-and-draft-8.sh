#!/usr/bin/env bash
# npm ratelimit-header-parser 0.1.0 reads NaN from the RateLimit field of draft-ietf-httpapi-ratelimit-headers-08 and later.
#
# One would think: its README lists the IETF drafts, and express-rate-limit (by the same hand) sends them.
# Seen: the fields of drafts 6 and 7 are read; the structured field of draft 8 ("policy"; r=…; t=…), which
# express-rate-limit 8.2.1 itself sends with `standardHeaders: 'draft-8'`, gives an object whose numbers are NaN, and no error.
# What follows: a client that must back off reads Retry-After, or parses the structured field by itself.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v npm >/dev/null || exit 77
npm init -y >/dev/null 2>&1
npm install --silent --no-audit --no-fund ratelimit-header-parser@0.1.0 express-rate-limit@8.2.1 express@5.1.0 >/dev/null 2>&1 || exit 77
cat > t.mjs <<'JS'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import { parseRateLimit } from 'ratelimit-header-parser'
const seen = {}
for (const draft of ['draft-6', 'draft-7', 'draft-8']) {
  const app = express()
  app.use(rateLimit({ windowMs: 60_000, limit: 3, standardHeaders: draft, legacyHeaders: false }))
  app.get('/', (_, res) => res.end('ok'))
  const server = app.listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/`)
  const parsed = parseRateLimit(answer)
  console.log(draft, '|', answer.headers.get('ratelimit') ?? answer.headers.get('ratelimit-limit'), '|', parsed?.remaining)
  server.close(); server.closeAllConnections()
}
JS
node t.mjs | tee out
grep -q '^draft-6 | 3 | 2$' out
grep -q '^draft-7 | limit=3, remaining=2, reset=60 | 2$' out
grep -Eq '^draft-8 \| "3-in-1min"; r=2; t=60 \| NaN$' out
