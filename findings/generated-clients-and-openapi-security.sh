#!/usr/bin/env bash
# Two client generators read one OpenAPI 3.1 document: @hey-api/openapi-ts 0.95.0 sends every alternative of `security` at once, and
# orval 7.13.0's fetch client parses a `text/plain` answer as JSON.
#
# One would think: `security: [{bearer}, {apiKey}]` is "either, not both" (the list's entries are alternatives), and the media type of
# an answer decides how it is read.
# Seen: hey-api calls the `auth` function for each scheme of each alternative and sets both headers. orval types the plain text as
# `string` and then runs JSON.parse on it.
# What follows: a service that refuses two credentials in one request refuses each call of such a client, unless both are the same key;
# and what is no JSON API is better left out of the document.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v npm >/dev/null || exit 77
npm init -y >/dev/null 2>&1
npm install --silent --no-audit --no-fund @hey-api/openapi-ts@0.95.0 orval@7.13.0 typescript@5.9.3 >/dev/null 2>&1 || exit 77
cat > api.json <<'JSON'
{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "servers": [{"url": "http://127.0.0.1"}],
 "paths": {
  "/plan": {"get": {"operationId": "getPlan", "security": [{"bearer": []}, {"apiKey": []}],
   "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}}}},
  "/metrics": {"get": {"operationId": "getMetrics",
   "responses": {"200": {"description": "ok", "content": {"text/plain": {"schema": {"type": "string"}}}}}}}},
 "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"},
  "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}}}
JSON
npx openapi-ts -i api.json -o hey >/dev/null 2>&1
npx orval --input api.json --output orval.ts --client fetch >/dev/null 2>&1
echo '{"type":"module"}' > package.json
npx tsc --target es2022 --module es2022 --moduleResolution bundler --skipLibCheck --outDir js hey/index.ts hey/client.gen.ts orval.ts >/dev/null || true
cat > t.cjs <<'JS'
const fs = require('fs'), path = require('path')
const fix = (folder) => { for (const name of fs.readdirSync(folder)) { const file = path.join(folder, name)
  if (fs.statSync(file).isDirectory()) { fix(file); continue }
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/(from\s+')(\.[^']*)'/g, (_, head, to) => {
    const at = path.join(path.dirname(file), to)
    return `${head}${fs.existsSync(at + '.js') ? to + '.js' : to + '/index.js'}'` })) } }
fix('js')
JS
node t.cjs
cat > t.mjs <<'JS'
import { readdirSync } from 'node:fs'
const root = readdirSync('js').includes('hey') ? './js/hey/' : './js/'
const { client } = await import(root + 'client.gen.js')
const { getPlan } = await import(root + 'sdk.gen.js')
client.setConfig({ auth: () => 'the-key', fetch: async (request) => {
  for (const name of ['authorization', 'x-api-key']) console.log(`hey-api ${name}: ${request.headers.get(name)}`)
  return new Response('{}', { headers: { 'content-type': 'application/json' } }) } })
await getPlan()
globalThis.fetch = async () => new Response('up 1\n', { headers: { 'content-type': 'text/plain' } })
const { getMetrics } = await import('./js/orval.js')
console.log('orval text/plain:', await getMetrics().then((answer) => answer.data, (error) => error.name))
JS
node t.mjs | tee out
cat > expected <<'T'
hey-api authorization: Bearer the-key
hey-api x-api-key: the-key
orval text/plain: SyntaxError
T
diff expected out
