// Real services on free ports and in directories of their own, and a plain HTTP client.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LatchkeyManagement } from '@latchkey/management';
import { Service, binary, environment } from './services.mjs';

export { environment, eventually } from './services.mjs';

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
