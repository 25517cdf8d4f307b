// What one check costs in Node, beside what Node teams take instead. One run, one core; prints a table.
// Each contestant is asked about keys whose limit is never reached, in batches. Told is the CPU time of this process,
// by the best of its rounds and by their median; of the http engine that leaves out the service and the wait for it.
import 'reflect-metadata';
import { ThrottlerStorageService } from '@nestjs/throttler';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { loadavg } from 'node:os';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { Latchkey } from '@latchkey/node';
import { Stack } from './harness.mjs';

const rounds = 15;

async function measure(name, batch, ask) {
  for (let i = 0; i < batch; ++i) await ask();
  const micros = [];
  for (let round = 0; round < rounds; ++round) {
    const begin = process.cpuUsage();
    for (let i = 0; i < batch; ++i) {
      const answer = ask();
      if (typeof answer?.then === 'function') await answer;
    }
    const { user, system } = process.cpuUsage(begin);
    micros.push((user + system) / batch);
  }
  micros.sort((a, b) => a - b);
  return { name, best: micros[0], median: micros[rounds >> 1] };
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

const stack = await Stack.start();
const remote = await Stack.start({ tokens: true });
const results = [];
try {
  const native = await Latchkey.open({ dataDir: stack.dataDir });
  const keys = await Promise.all(Array.from({ length: 32 }, () => stack.newKey(1_000_000)));
  let turn = 0;
  results.push(await measure('@latchkey/node, native', 20_000, () => {
    const verdict = native.check(keys[turn++ & 31].accessKey);
    if (verdict.admitted === undefined) return verdict.then(expectAdmitted);
    return expectAdmitted(verdict);
  }));
  await native.close();

  const http = await Latchkey.open({ engine: 'http', url: remote.tokens.url, timeout: 60_000 });
  const { accessKey } = await remote.newKey(1_000_000);
  results.push(await measure('@latchkey/node, http', 300, async () => expectAdmitted(await http.check(accessKey))));
  await http.close();

  const flexible = new RateLimiterMemory({ points: 100_000_000, duration: 60 });
  results.push(await measure('rate-limiter-flexible, memory (counts only)', 20_000, () => flexible.consume('alice')));

  const throttler = new ThrottlerStorageService();
  let hits = 0;
  results.push(await measure('@nestjs/throttler, memory, 60 hits a key (counts only)', 2_000, () => throttler.increment(`alice${Math.floor(hits++ / 60)}`, 60_000, 1_000_000, 0, 'default')));
  throttler.onApplicationShutdown();

  results.push(await measure('@better-auth/api-key, memory adapter', 200, await betterAuthKey()));
} finally {
  await stack.stop();
  await remote.stop();
}
console.log(`Node ${process.version}, load average before the end ${loadavg()[0].toFixed(1)}; µs of CPU a check, best and median of ${rounds} rounds, × the native engine's best`);
for (const { name, best, median } of results) {
  console.log(`${name.padEnd(56)} ${best.toFixed(2).padStart(10)} ${median.toFixed(2).padStart(10)} ${(best / results[0].best).toFixed(1).padStart(8)} ×`);
}
process.exit(0);
