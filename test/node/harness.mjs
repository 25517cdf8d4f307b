// Real services on free ports and in directories of their own, and a plain HTTP client.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LatchkeyManagement } from '@latchkey/management';

const binary = process.env.LATCHKEY_BINARY;
if (!binary) throw new Error('LATCHKEY_BINARY is not set: run ./dev test node');

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

class Service {
  constructor(name, dataDir, settings) {
    this.name = name;
    this.log = join(dataDir, '..', `${name}.log`);
    this.urlFile = join(dataDir, 'run', `${name}.url`);
    this.settings = { LATCHKEY_DATA_DIR: dataDir, [`LATCHKEY_${name.toUpperCase()}_LISTEN`]: '127.0.0.1:0', LATCHKEY_THREADS: '2', ...settings };
  }
  async start() {
    const log = openSync(this.log, 'a');
    this.process = spawn(binary, [this.name], { env: environment(this.settings), stdio: ['ignore', log, log] });
    closeSync(log);
    this.url = await eventually(() => existsSync(this.urlFile) && readFileSync(this.urlFile, 'utf8').trim(), this.urlFile);
    await eventually(() => fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false), `${this.name} ready`);
    return this;
  }
  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    await ended;
  }
}

/** `latchkey keys` with the embedded store, the tokens service beside it if wanted, and a client for admins. */
export class Stack {
  static async start({ tokens = false } = {}) {
    const stack = new Stack();
    stack.folder = mkdtempSync(join(tmpdir(), 'latchkey-node-'));
    stack.dataDir = join(stack.folder, 'latchkey-data');
    stack.keys = await new Service('keys', stack.dataDir, {}).start();
    if (tokens) stack.tokens = await new Service('tokens', stack.dataDir, {}).start();
    const env = environment({ LATCHKEY_DATA_DIR: stack.dataDir });
    stack.adminToken = execFileSync(binary, ['admin-token'], { env, encoding: 'utf8' }).trim();
    stack.management = new LatchkeyManagement({ url: stack.keys.url, token: stack.adminToken });
    return stack;
  }
  async stop() {
    await this.tokens?.stop();
    await this.keys.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
  /** A key that every replica lets in. */
  async newKey(requestsPerMinute = 1000, more = {}) {
    return this.management.createKey({ userId: 'alice', requestsPerMinute, ...more }, { wait: '60s' });
  }
}

/** One request, its header lines exactly as given. */
export function ask(url, lines = [], { agent, path = '/' } = {}) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const request = http.request({ hostname, port, path, agent: agent ?? false, headers: ['Host', `${hostname}:${port}`, ...lines], setDefaultHeaders: false });
    request.on('error', reject);
    request.on('response', (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces).toString() }));
    });
    request.end();
  });
}

export const bearer = (token) => ['Authorization', `Bearer ${token}`];
