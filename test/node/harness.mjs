// Real services on free ports and in directories of their own, and a plain HTTP client.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LatchkeyManagement } from '@latchkey/management';
import { Postgres, Redis } from './servers.mjs';
import { Relay, Service, binary, environment } from './services.mjs';

export { environment, eventually } from './services.mjs';

/** The tests' own process is taken for a proxy, so that requests may come from anywhere. */
const proxies = { trustedProxies: '127.0.0.1', clientAddress: 'x-forwarded-for' };

/**
 * The management service, and a client for admins. Pairing `embedded`: its store is SQLite, and what checks keys reads it
 * in the same directory. `scaled`: PostgreSQL, a relay, and Redis as the stream and as what counts for all.
 */
export class Stack {
  #parts = [];

  static async start({ tokens = false, pairing = 'embedded' } = {}) {
    const stack = new Stack();
    try {
      await stack.#start(pairing, tokens);
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }
  async #start(pairing, tokens) {
    this.folder = mkdtempSync(join(tmpdir(), 'latchkey-node-'));
    this.dataDir = join(this.folder, 'latchkey-data');
    const store = pairing === 'scaled' ? { LATCHKEY_STORE: (await this.#part(new Postgres())).url } : {};
    this.keys = await this.#part(new Service('keys', this.dataDir, store));
    if (pairing === 'scaled') await this.#relay(store);
    if (tokens) this.tokens = await this.#startTokens();
    const env = environment({ LATCHKEY_DATA_DIR: this.dataDir, ...store });
    this.adminToken = execFileSync(binary, ['admin-token'], { env, encoding: 'utf8' }).trim();
    this.management = new LatchkeyManagement({ url: this.keys.url, token: this.adminToken });
  }
  /** A server of it: ended in the reverse order. */
  async #part(server) {
    this.#parts.unshift(server);
    return server.start();
  }
  async #relay(store) {
    const redis = await this.#part(new Redis());
    await redis.withoutHistory();
    this.shared = { stream: redis.url, limiter: redis.url };
    await this.#part(new Relay(this.dataDir, { ...store, LATCHKEY_STREAM: redis.url }));
  }
  #startTokens() {
    const rules = join(this.folder, 'latchkey.toml');
    writeFileSync(rules, '[[rule]]\nname = "dear"\ncost = 5\n[[rule]]\nname = "orders"\nscope = "orders:read"\n');
    const settings = { LATCHKEY_CONFIG: rules, LATCHKEY_TRUSTED_PROXIES: proxies.trustedProxies, LATCHKEY_CLIENT_ADDRESS: proxies.clientAddress };
    if (!this.shared) return this.#part(new Service('tokens', this.dataDir, settings));
    const { stream, limiter } = this.shared;
    return this.#part(new Service('tokens', join(this.folder, 'tokens'), { ...settings, LATCHKEY_STREAM: stream, LATCHKEY_LIMITER: limiter }));
  }
  /** The options of a process's own core; of `scaled` each has a directory of its own, by `name`. */
  nativeOptions(name = 'native') {
    if (!this.shared) return { dataDir: this.dataDir, ...proxies };
    return { ...proxies, dataDir: join(this.folder, name), replicaName: name, startTimeout: 60_000, ...this.shared };
  }
  /** What `engine` is opened with. */
  optionsOf(engine, name) {
    return engine === 'http' ? { engine, url: this.tokens.url, timeout: 60_000 } : { engine, ...this.nativeOptions(name) };
  }
  async stop() {
    for (const part of this.#parts) await part.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
  /** What the management client has no method for, once it is enforced. */
  async api(method, path, body) {
    const headers = { Authorization: `Bearer ${this.adminToken}`, 'Content-Type': 'application/json' };
    const answer = await fetch(`${this.keys.url}${path}?wait=enforced&timeout=60s`, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return answer.json();
  }
  /** A key that every replica lets in. */
  async newKey(requestsPerMinute = 1000, more = {}) {
    const limit = requestsPerMinute === null ? {} : { requestsPerMinute };
    return this.management.createKey({ userId: 'alice', ...limit, ...more }, { wait: '60s' });
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
