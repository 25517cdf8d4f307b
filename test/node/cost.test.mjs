// What a check costs and keeps. LATCHKEY_LONG=1: ten million of them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Latchkey } from '@latchkey/node';
import { Stack } from './harness.mjs';

describe('a remembered key', () => {
  let stack, latchkey, tokens;
  before(async () => {
    stack = await Stack.start();
    latchkey = await Latchkey.open({ dataDir: stack.dataDir });
    const keys = await Promise.all(Array.from({ length: 8 }, () => stack.newKey(1_000_000)));
    tokens = keys.map(({ accessKey }) => accessKey);
    for (const token of tokens) assert.equal((await latchkey.check(token)).admitted, true);
  });
  after(async () => {
    await latchkey.close();
    await stack.stop();
  });

  test('is decided without a promise, and the key is one object', () => {
    const [first, second] = [latchkey.check(tokens[0]), latchkey.check(tokens[0])];
    assert.equal(first.admitted, true);
    assert.equal(first.key, second.key);
    assert.equal(second.remaining, first.remaining - 1);
  });

  test('leaves nothing behind', () => {
    const count = process.env.LATCHKEY_LONG ? 10_000_000 : 200_000;
    const run = (checks) => { for (let i = 0; i < checks; ++i) latchkey.check(tokens[i & 7]); };
    run(count / 10);
    const before = process.memoryUsage();
    const begin = process.cpuUsage();  // not the clock: the machine may have other work
    run(count);
    const { user, system } = process.cpuUsage(begin);
    const nanos = (1000 * (user + system)) / count;
    const after = process.memoryUsage();
    console.log(`${Math.round(nanos)} ns of CPU a check`);
    assert.ok(after.rss - before.rss < 48 * 1024 * 1024, `${after.rss - before.rss} octets more`);
    assert.equal(after.external - before.external < 1024 * 1024, true);
  });
});
