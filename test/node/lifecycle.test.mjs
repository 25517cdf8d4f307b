// What a process that holds the core lives through: stops, kills, neighbours, worker threads.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { Latchkey, LatchkeyError } from '@latchkey/node';
import { Stack } from './harness.mjs';

const child = new URL('./child.mjs', import.meta.url);

/** child.mjs in a process of its own; `says` has its lines as they come. */
class Child {
  constructor(mode, options, token = '') {
    this.process = spawn(process.execPath, [child.pathname, mode, JSON.stringify(options), token], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.errors = '';
    this.process.stderr.on('data', (text) => { this.errors += text; });
    this.ended = once(this.process, 'exit');
    this.lines = [];
    this.pending = '';
    this.process.stdout.on('data', (text) => {
      const lines = (this.pending + text).split('\n');
      this.pending = lines.pop();
      this.lines.push(...lines);
      this.process.emit('line');
    });
  }
  async says(line) {
    while (!this.lines.includes(line)) {
      const how = await Promise.race([once(this.process, 'line'), this.ended.then(() => 'ended')]);
      if (how === 'ended' && !this.lines.includes(line)) throw new Error(`ended without "${line}":\n${this.lines.join('\n')}\n${this.errors}`);
    }
  }
  async code() {
    return (await this.ended)[0];
  }
}

describe('the native engine in a process', () => {
  let stack, native;
  before(async () => {
    stack = await Stack.start();
    native = { dataDir: stack.dataDir };
  });
  after(() => stack.stop());

  test('runs its own libcrypto, not Node\'s', () => {
    const require = createRequire(import.meta.resolve('@latchkey/node'));
    assert.match(require('../dist/addon.js').loadAddon().cryptoLibrary(), /latchkey\.node$/);
  });

  for (const mode of ['close', 'forget', 'process.exit', 'throw', 'worker']) {
    test(`ends as it should: ${mode}`, async () => {
      const { accessKey } = await stack.newKey();
      const one = new Child(mode, native, accessKey);
      assert.equal(await one.code(), mode === 'throw' ? 1 : mode === 'process.exit' ? 7 : 0, one.errors);
      const { replicas } = await stack.management.replicas();
      assert.equal(replicas.filter(({ state }) => state === 'serving').length, 0);
    });
  }

  test('20 worker threads share one core and one limit', async () => {
    const { accessKey } = await stack.newKey(50);
    const workers = new Child('workers', native, accessKey);
    await workers.says('admitted 50 of 200');
    assert.equal(await workers.code(), 0, workers.errors);
  });

  test('a limit outlives kill -9', async () => {
    const { accessKey } = await stack.newKey(5);
    const first = new Child('spend', native, accessKey);
    await first.says('admitted 5 of 10');
    first.process.kill('SIGKILL');
    await first.ended;
    const second = new Child('spend', native, accessKey);
    await second.says('admitted 0 of 10');
    second.process.stdin.end();
    assert.equal(await second.code(), 0, second.errors);
  });

  test('a second process that would count by itself is refused, and told what to do', async () => {
    const { accessKey } = await stack.newKey(5);
    const first = new Child('spend', native, accessKey);
    await first.says('admitted 5 of 10');
    await assert.rejects(Latchkey.open(native), (error) => {
      assert.ok(error instanceof LatchkeyError);
      assert.equal(error.code, 'LATCHKEY_CONFLICT');
      for (const remedy of [stack.dataDir, "limiter: 'redis://", "engine: 'http'"]) assert.ok(error.message.includes(remedy), error.message);
      return true;
    });
    first.process.stdin.end();
    assert.equal(await first.code(), 0, first.errors);
  });

  test('so is one with a directory of its own, where both would count the keys of one stream', async () => {
    const elsewhere = (name) => ({ dataDir: `${stack.folder}/${name}`, stream: 'redis://127.0.0.1:1/0', startTimeout: 50 });
    const first = new Child('hold', elsewhere('first'));
    await first.says('opened');
    await assert.rejects(Latchkey.open(elsewhere('second')), (error) => error.code === 'LATCHKEY_CONFLICT' && error.message.includes('redis'));
    const shared = await Latchkey.open({ ...elsewhere('third'), limiter: 'redis://127.0.0.1:1/0' });
    assert.equal((await shared.check('x')).status, 401);
    await shared.close();
    first.process.stdin.end();
    assert.equal(await first.code(), 0, first.errors);
  });

  test('stops while requests run: each is answered', async () => {
    const latchkey = await Latchkey.open(native);
    const keys = await Promise.all(Array.from({ length: 8 }, () => stack.newKey()));
    const running = keys.map(({ accessKey }) => latchkey.check(accessKey));
    await latchkey.close();
    await latchkey.close();
    for (const verdict of await Promise.all(running)) assert.equal(typeof verdict.admitted, 'boolean');
    assert.throws(() => latchkey.check(keys[0].accessKey), { code: 'LATCHKEY_CLOSED' });
  });

  test('100 starts and stops leave nothing behind', async () => {
    const many = new Child('again', native, '100');
    assert.equal(await many.code(), 0, many.errors);
  });

  test('a wrong option is refused by its name', async () => {
    for (const [options, named] of [
      [{ dataDirectory: '/x' }, 'dataDirectory'], [{ engine: 'grpc' }, 'grpc'], [{ onUnavailable: 'open' }, 'open'],
      [{ timeout: 0 }, 'timeout'], [{ store: 'mysql://x' }, 'store'], [{ limiter: 'memcached' }, 'limiter'],
      [{ maxStaleness: 'soon' }, 'soon'], [{ engine: 'http', url: 'localhost' }, 'localhost'],
    ]) {
      await assert.rejects(Latchkey.open(options), (error) => error.code === 'LATCHKEY_CONFIGURATION' && error.message.includes(named), named);
    }
  });
});

describe('the http engine without its service', () => {
  const url = 'http://127.0.0.1:1';
  test('refuses, or admits where that was chosen', async () => {
    const closed = await Latchkey.open({ engine: 'http', url });
    const refused = await closed.check('x');
    assert.equal(refused.status, 503);
    assert.equal(refused.reason, 'limiter-unavailable');
    assert.equal((await closed.state()).state, 'unreachable');
    await closed.close();
    const open = await Latchkey.open({ engine: 'http', url, onUnavailable: 'admit' });
    assert.deepEqual(await open.check('x'), { admitted: true, key: null, remaining: null, headers: [] });
    await open.close();
  });
});
