// PostgreSQL and Redis, private to one test: on free ports, ended by process id.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './services.mjs';

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function end(process, signal) {
  if (!process || process.exitCode !== null || process.signalCode !== null) return;
  const ended = once(process, 'exit');
  process.kill(signal);
  await ended;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.on('error', () => resolve(false));
    socket.on('data', (text) => { socket.destroy(); resolve(text.toString() === '+PONG\r\n'); });
    socket.on('close', () => resolve(false));
  });
}

/** Keeps nothing over a restart. */
export class Redis {
  async start() {
    this.folder = mkdtempSync(join(tmpdir(), 'latchkey-redis-'));
    this.port = await freePort();
    this.url = `redis://127.0.0.1:${this.port}`;
    const words = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.folder];
    this.process = spawn('redis-server', words, { stdio: 'ignore' });
    await eventually(() => answers(this.port), 'redis-server');
    return this;
  }
  /** A limiter takes what an empty Redis may have forgotten as used up, unless told that there is nothing. */
  async withoutHistory() {
    execFileSync('redis-cli', ['-p', String(this.port), 'SET', 'latchkey:limit:no-history', '1', 'EX', '60'], { stdio: 'ignore' });
  }
  async stop() {
    await end(this.process, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** On a Unix socket. As Debian's package has it, where the tests run as root by that package's user. */
export class Postgres {
  constructor() {
    const debian = '/usr/lib/postgresql/15/bin/';
    this.bin = existsSync(debian) ? debian : '';
    this.user = process.getuid() === 0 ? { uid: number('-u'), gid: number('-g') } : {};
    this.folder = mkdtempSync(join(tmpdir(), 'latchkey-postgres-'));
    if (this.user.uid !== undefined) chownSync(this.folder, this.user.uid, this.user.gid);
  }
  async start() {
    const data = join(this.folder, 'data');
    const of = { cwd: this.folder, ...this.user };
    const words = ['-D', data, '-U', 'latchkey', '-A', 'trust', '-E', 'UTF8', '--no-locale', '-N'];
    const made = spawnSync(`${this.bin}initdb`, words, { ...of, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
    const log = openSync(join(this.folder, 'log'), 'a');
    const settings = ['-D', data, '-k', this.folder, '-c', 'listen_addresses=', '-c', 'shared_buffers=32MB', '-c', 'fsync=off'];
    this.process = spawn(`${this.bin}postgres`, settings, { ...of, stdio: ['ignore', log, log] });
    await eventually(() => this.#answers(), 'PostgreSQL', 120);
    return this;
  }
  #answers() {
    if (this.process.exitCode !== null) throw new Error(readFileSync(join(this.folder, 'log'), 'utf8'));
    return spawnSync(`${this.bin}pg_isready`, ['-q', '-h', this.folder]).status === 0;
  }
  get url() {
    return `postgresql:///postgres?user=latchkey&host=${this.folder}`;
  }
  async stop() {
    await end(this.process, 'SIGQUIT');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function number(flag) {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}
