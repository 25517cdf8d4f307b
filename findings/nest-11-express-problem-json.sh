#!/usr/bin/env bash
# NestJS 11.1.9 on Express: the content type that a guard has set for its refusal is replaced by application/json where the refusal's
# body has a member `statusCode` of 400 or more, and kept where it has not. Nest 12.5.1 keeps it in both cases.
#
# One would think: the type of an error answer does not depend on the names of its body's members.
# What follows: a problem document (RFC 9457), which says `status`, keeps its type as long as nobody adds Nest's usual `statusCode`.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v npm >/dev/null || exit 77
cat > t.js <<'JS'
require('reflect-metadata')
const { Module, Controller, Get, HttpException } = require('@nestjs/common')
const { NestFactory } = require('@nestjs/core')
class Home { get() { return 'ok' } }
Get()(Home.prototype, 'get', Object.getOwnPropertyDescriptor(Home.prototype, 'get')); Controller()(Home)
class App {}
Module({ controllers: [Home] })(App)
const guard = { canActivate(context) {
  context.switchToHttp().getResponse().setHeader('Content-Type', 'application/problem+json')
  throw new HttpException({ type: '/problems/rate-limited', ...extra }, 429) } }
let extra
;(async () => {
  const app = await NestFactory.create(App, { logger: false })
  app.useGlobalGuards(guard)
  await app.listen(0, '127.0.0.1')
  for (extra of [{}, { statusCode: 429 }]) {
    const answer = await fetch(await app.getUrl())
    console.log(`Nest ${process.argv[2]}, ${JSON.stringify(extra)}: ${answer.status} ${answer.headers.get('content-type')}`)
  }
  await app.close()
})()
JS
for version in 11.1.9 12.5.1; do
  mkdir "n$version"; (cd "n$version" && npm init -y >/dev/null 2>&1 &&
    npm install --silent --no-audit --no-fund --legacy-peer-deps "@nestjs/common@$version" "@nestjs/core@$version" "@nestjs/platform-express@$version" reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null 2>&1) || exit 77
  cp t.js "n$version/t.js"; node "n$version/t.js" "$version"
done | tee out
cat > expected <<'T'
Nest 11.1.9, {}: 429 application/problem+json; charset=utf-8
Nest 11.1.9, {"statusCode":429}: 429 application/json; charset=utf-8
Nest 12.5.1, {}: 429 application/problem+json; charset=utf-8
Nest 12.5.1, {"statusCode":429}: 429 application/problem+json; charset=utf-8
T
diff expected out
