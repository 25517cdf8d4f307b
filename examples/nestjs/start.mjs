// Both services, and Latchkey's own management service with its store, which they stand on. Ctrl-C ends all.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const here = (path) => new URL(path, import.meta.url).pathname;
const built = here('../../build/release/latchkey');
const { BINARY = existsSync(built) ? built : 'latchkey', KEYS_LISTEN = '127.0.0.1:7070', MANAGEMENT_PORT = '3001', TOKENS_PORT = '3002', DATA_DIR = here('latchkey-data') } = process.env;
const settings = { LATCHKEY_DATA_DIR: DATA_DIR, LATCHKEY_KEYS_LISTEN: KEYS_LISTEN };
const KEYS_URL = `http://${KEYS_LISTEN}`;

const running = [];
let ending = false;
function run(command, args, env) {
  if (ending) return;
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] });
  child.on('exit', (code) => end(code ?? 1));
  running.push(child);
}
function end(code) {
  if (ending) return;
  ending = true;
  process.exitCode = code;
  for (const child of running) child.kill('SIGTERM');
}
process.on('SIGINT', () => end(0));
process.on('SIGTERM', () => end(0));

async function up(url) {
  while (!ending && !(await fetch(url).then(() => true, () => false))) await sleep(50);
}

run(BINARY, ['keys'], settings);
await up(`${KEYS_URL}/healthz`);
run(process.execPath, [here('dist/management/main.js')], { KEYS_URL, PORT: MANAGEMENT_PORT });
run(process.execPath, [here('dist/tokens/main.js')], { DATA_DIR, PORT: TOKENS_PORT });
await up(`http://127.0.0.1:${MANAGEMENT_PORT}/`);
await up(`http://127.0.0.1:${TOKENS_PORT}/health`);
if (!ending) {
  const admin = execFileSync(BINARY, ['admin-token'], { env: { ...process.env, ...settings }, encoding: 'utf8' }).trim();
  console.log(`
ADMIN=${admin}
KEY=$(curl -s -H "Authorization: Bearer $ADMIN" -H 'Content-Type: application/json' \\
  -d '{"userId":"alice","requestsPerMinute":3,"expiresIn":"30d"}' 127.0.0.1:${MANAGEMENT_PORT}/keys | sed 's/.*"accessKey":"\\([^"]*\\)".*/\\1/')
curl -i -H "X-API-Key: $KEY" 127.0.0.1:${TOKENS_PORT}/tokens/ETH     # the fourth within a minute is 429
curl -s -H "X-API-Key: $KEY" 127.0.0.1:${MANAGEMENT_PORT}/plan
curl -s -X POST -H "X-API-Key: $KEY" 127.0.0.1:${MANAGEMENT_PORT}/plan/disable   # from now on 401`);
}
