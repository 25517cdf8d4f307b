// The real services on free ports and in a directory of their own; of the tests of the packages and of the console.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const binary = process.env.LATCHKEY_BINARY;
if (!binary) throw new Error('LATCHKEY_BINARY is not set: run ./dev test node, or ./dev test console');

/** Waits for what must come, however slow the machine is. */
export async function eventually(holds, what, seconds = 60) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (performance.now() > end) throw new Error(`${what} did not come in ${seconds} s`);
    await sleep(10);
  }
}

/** A variable LATCHKEY_… that it does not know would be an error. */
export function environment(settings) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('LATCHKEY_'));
  return { ...Object.fromEntries(kept), ...settings };
}

export class Service {
  constructor(name, dataDir, settings) {
    this.name = name;
    this.log = join(dataDir, '..', `${name}.log`);
    this.urlFile = join(dataDir, 'run', `${name}.url`);
    this.settings = { LATCHKEY_DATA_DIR: dataDir, [`LATCHKEY_${name.toUpperCase()}_LISTEN`]: '127.0.0.1:0', LATCHKEY_THREADS: '2', ...settings };
  }
  spawn() {
    const log = openSync(this.log, 'a');
    this.process = spawn(binary, [this.name], { env: environment(this.settings), stdio: ['ignore', log, log] });
    closeSync(log);
  }
  async start() {
    this.spawn();
    this.url = await eventually(() => existsSync(this.urlFile) && readFileSync(this.urlFile, 'utf8').trim(), this.urlFile);
    await eventually(() => fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false), `${this.name} ready`);
    return this;
  }
  async stop(signal = 'SIGTERM') {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    await ended;
  }
}

/** `latchkey relay`, which listens nowhere. */
export class Relay extends Service {
  constructor(dataDir, settings) {
    super('relay', dataDir, settings);
    delete this.settings.LATCHKEY_RELAY_LISTEN;
  }
  async start() {
    this.spawn();
    await eventually(() => {
      if (this.process.exitCode !== null) throw new Error(readFileSync(this.log, 'utf8'));
      return readFileSync(this.log, 'utf8').includes('relay runs');
    }, 'the relay');
    return this;
  }
}
