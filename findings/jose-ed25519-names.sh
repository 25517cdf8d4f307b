#!/usr/bin/env bash
# npm jose 6.1.0: `algorithms: ['EdDSA']` refuses a token whose header says `Ed25519`, and the reverse, for one and the same key.
#
# One would think: RFC 9864 names one signature twice (EdDSA with an Ed25519 key is Ed25519), so a verifier that takes one takes both.
# Seen: the key verifies under either name; the allow list compares the name alone.
# What follows: a verifier that pins algorithms must list both names until issuers have moved.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v npm >/dev/null || exit 77
npm init -y >/dev/null 2>&1
npm install --silent --no-audit --no-fund jose@6.1.0 >/dev/null 2>&1 || exit 77
cat > t.mjs <<'JS'
import { generateKeyPairSync } from 'node:crypto'
import { SignJWT, jwtVerify } from 'jose'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
for (const alg of ['EdDSA', 'Ed25519']) {
  const token = await new SignJWT({}).setProtectedHeader({ alg }).setSubject('a').sign(privateKey)
  for (const allowed of [undefined, ['EdDSA'], ['Ed25519'], ['EdDSA', 'Ed25519']]) {
    const result = await jwtVerify(token, publicKey, { algorithms: allowed }).then(() => 'accepted', (e) => e.code)
    console.log(`header ${alg}, algorithms ${allowed ?? 'unset'}: ${result}`)
  }
}
JS
node t.mjs | tee out
cat > expected <<'T'
header EdDSA, algorithms unset: accepted
header EdDSA, algorithms EdDSA: accepted
header EdDSA, algorithms Ed25519: ERR_JOSE_ALG_NOT_ALLOWED
header EdDSA, algorithms EdDSA,Ed25519: accepted
header Ed25519, algorithms unset: accepted
header Ed25519, algorithms EdDSA: ERR_JOSE_ALG_NOT_ALLOWED
header Ed25519, algorithms Ed25519: accepted
header Ed25519, algorithms EdDSA,Ed25519: accepted
T
diff expected out
