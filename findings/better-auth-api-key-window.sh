#!/usr/bin/env bash
# @better-auth/api-key 1.7.5: a limit of 5 a second refuses a client that sends 2.5 a second, steadily.
#
# One would think: "maxRequests: 5, timeWindow: 1000" begins a new count each second, or slides.
# Seen: the count is reset only when a whole window has passed since the last admitted request. A steady client below the limit
# fills it, is refused until it has been silent for a window, and begins again.
# What follows: whoever moves from it to an exact limit will see honest clients admitted that were refused before.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v npm >/dev/null || exit 77
npm init -y >/dev/null 2>&1
npm install --silent --no-audit --no-fund --legacy-peer-deps better-auth@1.7.5 @better-auth/api-key@1.7.5 >/dev/null 2>&1 || exit 77
cat > t.mjs <<'JS'
import { betterAuth } from 'better-auth'
import { apiKey } from '@better-auth/api-key'
import { memoryAdapter } from 'better-auth/adapters/memory'
const database = memoryAdapter({ user: [], session: [], account: [], verification: [], apikey: [] })
const auth = betterAuth({ secret: 'x'.repeat(40), baseURL: 'http://127.0.0.1', database, emailAndPassword: { enabled: true },
  logger: { disabled: true }, plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 1000, maxRequests: 5 } })] })
const { user } = await auth.api.signUpEmail({ body: { email: 'a@example.com', password: 'password1234', name: 'a' } })
const { key } = await auth.api.createApiKey({ body: { userId: user.id } })
let admitted = 0
for (let i = 0; i < 21; i++) {
  const answer = await auth.api.verifyApiKey({ body: { key } })
  admitted += answer.valid
  await new Promise((done) => setTimeout(done, 400))
}
console.log(`21 requests, one each 400 ms, limit 5 a second: ${admitted < 21 ? 'some' : 'none'} refused, ${admitted > 10 ? 'most' : 'few'} admitted`)
JS
node t.mjs | tee out
cat > expected <<'T'
21 requests, one each 400 ms, limit 5 a second: some refused, most admitted
T
diff expected out
