// A process with the native engine, for lifecycle.test.mjs: node child.mjs MODE OPTIONS TOKEN
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Latchkey } from '@latchkey/node';

const [mode, options, token] = isMainThread ? [process.argv[2], JSON.parse(process.argv[3]), process.argv[4]] : workerData;
const self = new URL(import.meta.url);

async function spend(latchkey, count) {
  const verdicts = await Promise.all(Array.from({ length: count }, () => latchkey.check(token)));
  return verdicts.filter(({ admitted }) => admitted).length;
}

const modes = {
  async close() {
    const latchkey = await Latchkey.open(options);
    await latchkey.check(token);
    await latchkey.close();
  },
  // Nobody closes it: the process ends when its work is done, and the core with it.
  async forget() {
    const latchkey = await Latchkey.open(options);
    await latchkey.check(token);
  },
  async 'process.exit'() {
    await modes.forget();
    process.exit(7);
  },
  async throw() {
    await modes.forget();
    setImmediate(() => { throw new Error('as planned'); });
  },
  async worker() {
    const worker = new Worker(self, { workerData: ['forget', options, token] });
    const [code] = await once(worker, 'exit');
    process.exitCode = code;
  },
  async again() {
    for (let i = 0; i < Number(token); ++i) {
      const latchkey = await Latchkey.open(options);
      if ((await latchkey.state()).state !== 'ready') throw new Error('not ready');
      await latchkey.close();
      if (i === 9) process.firstSize = process.memoryUsage.rss();
    }
    const grown = process.memoryUsage.rss() - process.firstSize;
    if (grown > 32 * 1024 * 1024) throw new Error(`grew by ${grown} octets`);
  },
  async workers() {
    const latchkey = await Latchkey.open(options);  // stays, so that theirs is the same core
    const workers = Array.from({ length: 20 }, () => new Worker(self, { workerData: ['count', options, token] }));
    const admitted = await Promise.all(workers.map(async (worker) => {
      const [[count]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      return count;
    }));
    console.log(`admitted ${admitted.reduce((sum, one) => sum + one, 0)} of 200`);
    await latchkey.close();
  },
  async count() {
    const latchkey = await Latchkey.open(options);
    parentPort.postMessage(await spend(latchkey, 10));
  },
  async hold() {
    const latchkey = await Latchkey.open(options);
    console.log('opened');
    process.stdin.resume();
    await once(process.stdin, 'end');
    await latchkey.close();
  },
  /** Tells how much passed, and stays until its input ends. */
  async spend() {
    const latchkey = await Latchkey.open(options);
    console.log(`admitted ${await spend(latchkey, 10)} of 10`);
    process.stdin.resume();
    await once(process.stdin, 'end');
    await latchkey.close();
  },
};
await modes[mode]();
