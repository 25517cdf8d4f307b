// Part of the suite: an application in a process of its own, which is stopped, killed and started again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, bearer, eventually } from './harness.mjs';

const program = new URL('./serve.mjs', import.meta.url).pathname;

class App {
  constructor(name, options) {
    this.process = spawn(process.execPath, [program, name, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.told = '';
    this.errors = '';
    this.process.stdout.on('data', (text) => { this.told += text; });
    this.process.stderr.on('data', (text) => { this.errors += text; });
    this.ended = once(this.process, 'exit');
  }
  async listening() {
    this.url = await eventually(() => {
      if (this.over) throw new Error(`ended: ${this.told}${this.errors}`);
      return /^listening (\S+)$/m.exec(this.told)?.[1];
    }, 'the application');
    return this;
  }
  get over() {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }
  /** How many requests to /slow it has begun. */
  get slow() {
    return this.told.match(/^slow$/gm)?.length ?? 0;
  }
  async stop(signal) {
    this.process.kill(signal);
    const [code] = await this.ended;
    return code;
  }
}

/** How many of ten pass; 503, for want of time, is neither. */
async function admitted(app, key) {
  const all = await Promise.all(Array.from({ length: 10 }, () => ask(app.url, bearer(key))));
  for (const { status, body } of all) assert.ok([200, 429, 503].includes(status), body);
  return all.filter(({ status }) => status === 200).length;
}

export function testProcesses(stackNow, engine, name) {
  describe(`${name} in a process of its own`, () => {
    let running = [];
    afterEach(async () => {
      // In order: a change would wait for one that says no word, until it must have stopped serving.
      for (const app of running) if (!app.over) await app.stop('SIGTERM');
      running = [];
    });
    const run = (as) => {
      running.push(new App(name, stackNow().optionsOf(engine, as)));
      return running.at(-1).listening();
    };
    /** Of `scaled` a permit that came too late for its second is lost: then fewer pass, never more. */
    const exactly = (count, limit) => {
      if (stackNow().shared) assert.ok(count <= limit, `${count} of ${limit}`);
      else assert.equal(count, limit);
    };

    for (const [how, signal, code] of [['restart', 'SIGTERM', 0], ['kill -9 and restart', 'SIGKILL', null]]) {
      test(`${how}: the limit holds, and what was revoked meanwhile stays out`, async () => {
        const stack = stackNow();
        const [spent, revoked] = [await stack.newKey(5), await stack.newKey()];
        const first = await run();
        const before = await admitted(first, spent.accessKey);
        exactly(before, 5);
        assert.equal((await ask(first.url, bearer('nonsense'))).status, 401);
        assert.equal(await first.stop(signal), code, first.errors);
        // A core of its own does not serve before it knows what was revoked before its start.
        await stack.management.disableKey(revoked.key.keyId, engine === 'http' ? { wait: '60s' } : {});
        const second = await run();
        const after = await admitted(second, spent.accessKey);
        exactly(before + after, 5);
        const { body } = await eventually(async () => {
          const answer = await ask(second.url, bearer(revoked.accessKey));
          return answer.status === 503 ? undefined : answer;
        }, 'a decision');
        assert.equal(JSON.parse(body).type, '/problems/key-disabled');
        assert.equal(await second.stop('SIGTERM'), 0, second.errors);
      });
    }

    test('stop while requests run: those that were begun are answered', async () => {
      const { accessKey } = await stackNow().newKey(1_000_000);
      const app = await run();
      const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
      const statuses = [];
      let going = true;
      const crowd = Array.from({ length: 8 }, async () => {
        while (going) {
          // It may be sent to a process that listens no more, or to one that closes: no answer, or 503.
          const answer = await ask(app.url, bearer(accessKey), { agent }).catch(() => undefined);
          if (!answer) return;
          statuses.push(answer.status);
        }
      });
      const slow = Array.from({ length: 8 }, () => ask(app.url, bearer(accessKey), { agent, path: '/slow' }));
      await eventually(() => app.slow + statuses.filter((status) => status !== 200).length >= 8, 'requests in progress');
      const ended = app.stop('SIGTERM');
      await sleep(50);
      going = false;
      for (const { status, body } of await Promise.all(slow)) {
        assert.ok(status === 200 || (stackNow().shared && status === 503), body);
        if (status === 200) assert.equal(JSON.parse(body).userId, 'alice');
      }
      await Promise.all(crowd);
      agent.destroy();  // a server waits for connections that are kept
      assert.equal(await ended, 0, app.errors);
      assert.ok(statuses.includes(200));
      assert.deepEqual(statuses.filter((status) => status !== 200 && status !== 503), []);
    });

    test('two at once: one limit, or a sentence that says why not', async () => {
      const stack = stackNow();
      const { accessKey } = await stack.newKey(5);
      const first = await run('one');
      if (engine === 'native' && !stack.shared) {
        await assert.rejects(run('two'), /LATCHKEY_CONFLICT|would let every limit pass twice/);
      } else {
        const second = await run('two');
        const counts = await Promise.all([admitted(first, accessKey), admitted(second, accessKey)]);
        exactly(counts[0] + counts[1], 5);
      }
    });
  });
}
