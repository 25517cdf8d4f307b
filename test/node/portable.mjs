// What another runtime than Node can do: portable.mjs OPTIONS TOKENS. Prints `PART ok`, or `PART: what went wrong`.
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Latchkey } from '@latchkey/node';
import { appNames, start } from './apps.mjs';

function equal(found, expected) {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${a}, not ${b}`);
}

async function engine(options, { limited, forged, disabled }) {
  const latchkey = await Latchkey.open(options);
  equal((await latchkey.state()).state, 'ready');
  const verdicts = await Promise.all(Array.from({ length: 200 }, () => latchkey.check(limited)));
  equal(verdicts.filter(({ admitted }) => admitted).length, 5);
  equal(verdicts.filter(({ status }) => status === 429).length, 195);
  for (const [token, reason] of [[forged, 'invalid-token'], [disabled, 'key-disabled'], ['\u0165'.repeat(300), 'invalid-token'], ['x'.repeat(20_000), 'invalid-token']]) {
    equal((await latchkey.check(token)).reason, reason);
  }
  const { privateKey } = generateKeyPairSync('ed25519');
  equal(sign(null, Buffer.from('x'), privateKey).length, 64);
  await latchkey.close();
}

async function app(name, options, { open }) {
  const latchkey = await Latchkey.open(options);
  const running = await start(name, latchkey);
  const refused = await fetch(running.url);
  equal([refused.status, refused.headers.get('content-type')], [401, 'application/problem+json']);
  await refused.text();
  const admitted = await fetch(running.url, { headers: { 'X-API-Key': open, Connection: 'close' } });
  equal([admitted.status, (await admitted.json()).userId], [200, 'alice']);
  if (!/^"per-minute";r=\d+;t=\d+$/.test(admitted.headers.get('ratelimit'))) throw new Error('no RateLimit');
  await running.close();
  await latchkey.close();
}

async function worker(options, { open }) {
  const latchkey = await Latchkey.open(options);
  const other = new Worker(new URL(import.meta.url), { workerData: { options, open } });
  equal(await Promise.race([once(other, 'message').then(([admitted]) => admitted), once(other, 'error').then(([error]) => { throw error; })]), true);
  await latchkey.close();
}

async function main() {
  const [options, tokens] = process.argv.slice(2).map((text) => JSON.parse(text));
  const parts = [['engine', () => engine(options, tokens)], ...appNames.map((name) => [name, () => app(name, options, tokens)])];
  if (options.engine === 'native') parts.push(['worker thread', () => worker(options, tokens)]);
  for (const [part, run] of parts) {
    const how = await Promise.race([
      run().then(() => `${part} ok`, (error) => `${part}: ${error.message}`),
      new Promise((resolve) => { setTimeout(resolve, 60_000, `${part}: does not end`).unref?.(); }),
    ]);
    console.log(how.split('\n')[0]);
  }
  console.log('done');
}

if (isMainThread) {
  await main();
} else {
  const latchkey = await Latchkey.open(workerData.options);
  parentPort.postMessage((await latchkey.check(workerData.open)).admitted);
  await latchkey.close();
}
