// What one check costs in Node, beside what Node teams take instead, in one run; a page where LATCHKEY_PAGE names one.
//
// Told is CPU time: of this process for the contestants (of the http engine that leaves out the service and the wait
// for it), of the server's process for the route. Contestants are asked in batches about keys whose limit is never
// reached; the two guards of the route take turns, so that what else the machine does meets both.
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { cpus, loadavg } from 'node:os';
import { ThrottlerStorageService } from '@nestjs/throttler';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { Latchkey } from '@latchkey/node';
import { Stack, ask, bearer } from './harness.mjs';

const rounds = 15;
const manyChecks = 10_000_000;
const turns = 24;
const requestsATurn = 2_000;

const microsOf = ({ user, system }) => user + system;

/** [lower quartile, median, upper quartile] */
function quartiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((part) => sorted[Math.round(part * (sorted.length - 1))]);
}

async function measure(name, batch, send) {
  for (let i = 0; i < batch; ++i) await send();
  const micros = [];
  for (let round = 0; round < rounds; ++round) {
    const begin = process.cpuUsage();
    for (let i = 0; i < batch; ++i) {
      const answer = send();
      if (typeof answer?.then === 'function') await answer;
    }
    micros.push(microsOf(process.cpuUsage(begin)) / batch);
  }
  return { name, micros: quartiles(micros) };
}

async function betterAuthKey() {
  const tables = { user: [], session: [], account: [], verification: [], apikey: [] };
  const auth = betterAuth({
    secret: 'a secret of at least 32 characters, for this run', baseURL: 'http://localhost', telemetry: { enabled: false },
    database: memoryAdapter(tables), emailAndPassword: { enabled: true }, logger: { disabled: true },
    plugins: [apiKey({ rateLimit: { enabled: true, maxRequests: 100_000_000, timeWindow: 60_000 } })],
  });
  const { user } = await auth.api.signUpEmail({ body: { email: 'alice@example.com', password: 'correct horse battery', name: 'alice' } });
  const { key } = await auth.api.createApiKey({ body: { userId: user.id } });
  return async () => {
    const { valid, error } = await auth.api.verifyApiKey({ body: { key } });
    if (!valid) throw new Error(JSON.stringify(error));
  };
}

function expectAdmitted(verdict) {
  if (!verdict.admitted) throw new Error(verdict.body);
}

async function nativeChecks(stack) {
  const native = await Latchkey.open({ dataDir: stack.dataDir });
  const keys = await Promise.all(Array.from({ length: 32 }, () => stack.newKey(1_000_000)));
  const plan = { scopes: ['orders:read'], networks: ['192.0.2.0/24'] };
  const { accessKey: bound } = await stack.newKey(1_000_000, plan);
  let turn = 0;
  const plain = await measure('@latchkey/node, native', 20_000, () => {
    const verdict = native.check(keys[turn++ & 31].accessKey);
    return verdict.admitted === undefined ? verdict.then(expectAdmitted) : expectAdmitted(verdict);
  });
  const needs = native.needs({ scopes: ['orders:read'] });
  const scoped = await measure('the same, a key with scopes and networks', 20_000, () => {
    const verdict = native.check(bound, needs, '192.0.2.7');
    return verdict.admitted === undefined ? verdict.then(expectAdmitted) : expectAdmitted(verdict);
  });
  const many = manyOf(native, keys.map(({ accessKey }) => accessKey));
  await native.close();
  return { results: [plain, scoped], many };
}

/** Refused or admitted, they cost about the same: 32 keys of a million a minute do not last. */
function manyOf(native, tokens) {
  const run = (checks) => { for (let i = 0; i < checks; ++i) native.check(tokens[i & 31]); };
  run(manyChecks / 10);
  const [before, begin] = [process.memoryUsage().rss, process.cpuUsage()];
  run(manyChecks);
  return { nanos: (1000 * microsOf(process.cpuUsage(begin))) / manyChecks, grown: process.memoryUsage().rss - before };
}

async function contestants(stack, remote) {
  const { results, many } = await nativeChecks(stack);
  const engine = await Latchkey.open({ engine: 'http', url: remote.tokens.url, timeout: 60_000 });
  const { accessKey } = await remote.newKey(1_000_000);
  results.push(await measure('@latchkey/node, http', 300, async () => expectAdmitted(await engine.check(accessKey))));
  await engine.close();

  const flexible = new RateLimiterMemory({ points: 100_000_000, duration: 60 });
  results.push(await measure('rate-limiter-flexible, memory (counts only)', 20_000, () => flexible.consume('alice')));

  const throttler = new ThrottlerStorageService();
  let hits = 0;
  results.push(await measure('@nestjs/throttler, memory, 60 hits a key (counts only)', 2_000, () => throttler.increment(`alice${Math.floor(hits++ / 60)}`, 60_000, 1_000_000, 0, 'default')));
  throttler.onApplicationShutdown();

  results.push(await measure('@better-auth/api-key verifyApiKey, memory adapter', 200, await betterAuthKey()));
  return { results, many };
}

async function cpuOf(server) {
  server.send('cpu');
  return microsOf((await once(server, 'message'))[0].cpu);
}

/** CPU of the server a request behind each guard, and our guard's in multiples of the other's, turn by turn. */
async function route(adapter, stack) {
  const server = fork('./nest_route.mjs', [JSON.stringify({ adapter, dataDir: stack.dataDir })]);
  try {
    const [urls] = await once(server, 'message');
    const { accessKey } = await stack.newKey(1_000_000);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    const send = async (url, count) => {
      const { status, body } = await ask(url, bearer(accessKey), { agent });
      if (status !== 200) throw new Error(body);
      if (count > 1) await send(url, count - 1);
    };
    const turn = async (url) => {
      const begin = await cpuOf(server);
      await Promise.all(Array.from({ length: 4 }, () => send(url, requestsATurn / 4)));
      return ((await cpuOf(server)) - begin) / requestsATurn;
    };
    for (const url of [urls.guarded, urls.welcoming, urls.guarded, urls.welcoming]) await turn(url);
    const pairs = [];
    for (let i = 0; i < turns; ++i) {  // who begins changes: what a turn leaves behind meets both
      const order = i % 2 ? ['welcoming', 'guarded'] : ['guarded', 'welcoming'];
      const pair = {};
      for (const which of order) pair[which] = await turn(urls[which]);
      pairs.push(pair);
    }
    agent.destroy();
    return {
      adapter,
      guarded: quartiles(pairs.map((pair) => pair.guarded)),
      welcoming: quartiles(pairs.map((pair) => pair.welcoming)),
      ratio: quartiles(pairs.map((pair) => pair.guarded / pair.welcoming)),
    };
  } finally {
    server.kill();
  }
}

const figure = (micros) => (micros < 10 ? micros.toFixed(2) : micros < 100 ? micros.toFixed(1) : micros.toFixed(0));

function page({ results, many }, routes, load) {
  const native = results[0].micros[1];
  const rows = results.map(({ name, micros }) => `| ${name} | ${micros.map(figure).join(' | ')} | ${(micros[1] / native).toFixed(1)} × |`);
  const routeRows = routes.map(({ adapter, guarded, welcoming, ratio }) =>
    `| ${adapter} | ${figure(guarded[1])} | ${figure(welcoming[1])} | ${ratio.map((part) => part.toFixed(3)).join(' | ')} |`);
  return `# Figures of the packages for Node

Written by \`./dev bench --only node\` on Node ${process.version}, ${cpus().length} × ${cpus()[0].model.trim()}, load average ${load} at the begin and
${loadavg()[0].toFixed(1)} at the end. CPU time, not the clock; quartiles over ${rounds} rounds or ${turns} pairs of turns.

## One check

µs of CPU of the asking process. Peers that only count look at no key: no signature, no revocation, no expiry.

| | lower quartile | median | upper quartile | of the native engine |
|---|---|---|---|---|
${rows.join('\n')}

Then ${manyChecks.toLocaleString('en')} native checks of 32 keys, admitted until their million is used up: ${many.nanos.toFixed(0)} ns of CPU each, resident memory
${(many.grown / 2 ** 20).toFixed(1)} MiB larger after the last than after the first million.

## A guarded route of Nest 12

The same route behind \`LatchkeyGuard\` (native) and behind a guard that returns true and sets the same headers, in one process, in turns of
${requestsATurn.toLocaleString('en')} requests over four connections. µs of CPU of that process a request, medians; ours in multiples of the other, quartiles of the pairs.

| platform | guarded | returns true | lower quartile | median | upper quartile |
|---|---|---|---|---|---|
${routeRows.join('\n')}
`;
}

const load = loadavg()[0].toFixed(1);
const stack = await Stack.start();
const remote = await Stack.start({ tokens: true });
try {
  const told = await contestants(stack, remote);
  const routes = [];
  for (const adapter of ['fastify', 'express']) routes.push(await route(adapter, stack));
  const text = page(told, routes, load);
  console.log(text);
  if (process.env.LATCHKEY_PAGE) writeFileSync(process.env.LATCHKEY_PAGE, text);
} finally {
  await stack.stop();
  await remote.stop();
}
process.exit(0);
