// The brief, in Nest, on Latchkey: examples/nestjs as `npm start` runs it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { environment, eventually } from './harness.mjs';

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

describe('examples/nestjs', () => {
  let folder, started, management, tokens, admin;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-example-'));
    const [keys, first, second] = await freePorts(3);
    management = `http://127.0.0.1:${first}`;
    tokens = `http://127.0.0.1:${second}`;
    started = spawn(process.execPath, ['start.mjs'], {
      cwd: join(process.env.LATCHKEY_SOURCE, 'examples/nestjs'),
      env: environment({
        BINARY: process.env.LATCHKEY_BINARY, KEYS_LISTEN: `127.0.0.1:${keys}`, MANAGEMENT_PORT: String(first), TOKENS_PORT: String(second),
        DATA_DIR: join(folder, 'latchkey-data'),
      }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    started.stdout.on('data', (text) => { told += text; });
    admin = await eventually(() => /^ADMIN=(\S+)$/m.exec(told)?.[1] ?? (started.exitCode !== null ? Promise.reject(new Error(told)) : undefined), 'the admin token');
  });
  after(async () => {
    if (started.exitCode === null) {
      started.kill('SIGTERM');
      await once(started, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const call = async (url, { method = 'GET', token, key, body } = {}) => {
    const headers = { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(key ? { 'X-API-Key': key } : {}), ...(body ? { 'Content-Type': 'application/json' } : {}) };
    const answer = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, json: text ? JSON.parse(text) : undefined };
  };
  const create = async (more) => {
    const { status, json } = await call(`${management}/keys`, { method: 'POST', token: admin, body: { userId: 'alice', requestsPerMinute: 100, ...more } });
    assert.equal(status, 201, JSON.stringify(json));
    return json;
  };

  test('only an admin makes keys', async () => {
    const body = { userId: 'alice', requestsPerMinute: 5 };
    assert.equal((await call(`${management}/keys`, { method: 'POST', body })).status, 401);
    const { accessKey } = await create();
    assert.equal((await call(`${management}/keys`, { method: 'POST', token: accessKey, body })).status, 403);
    const wrong = await call(`${management}/keys`, { method: 'POST', token: admin, body: { userId: 'alice', requestsPerMinute: 0 } });
    assert.equal(wrong.status, 400);
    assert.equal(wrong.headers.get('content-type'), 'application/problem+json');
  });

  test('a key opens token information up to its limit', async () => {
    const { accessKey } = await create({ requestsPerMinute: 3 });
    const statuses = [];
    for (let i = 0; i < 4; ++i) statuses.push((await call(`${tokens}/tokens/ETH`, { key: accessKey })).status);
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    assert.equal((await call(`${tokens}/tokens`)).status, 401);
    assert.equal((await call(`${tokens}/health`)).json.state, 'ready');
  });

  test('an admin lists, raises a limit and deletes, each with effect at once', async () => {
    const { accessKey, key } = await create({ userId: 'bob', requestsPerMinute: 1 });
    const listed = await call(`${management}/keys?userId=bob`, { token: admin });
    assert.deepEqual(listed.json.map(({ keyId }) => keyId), [key.keyId]);
    assert.equal((await call(`${tokens}/tokens`, { key: accessKey })).status, 200);
    assert.equal((await call(`${tokens}/tokens`, { key: accessKey })).status, 429);
    await call(`${management}/keys/${key.keyId}`, { method: 'PATCH', token: admin, body: { requestsPerMinute: 10 } });
    assert.equal((await call(`${tokens}/tokens/BTC`, { key: accessKey })).json.symbol, 'BTC');
    assert.equal((await call(`${management}/keys/${key.keyId}`, { method: 'DELETE', token: admin })).status, 204);
    const refused = await call(`${tokens}/tokens`, { key: accessKey });
    assert.equal(refused.json.type, '/problems/key-deleted');
  });

  test('a holder sees the own plan and disables the key', async () => {
    const { accessKey } = await create({ expiresIn: '30d' });
    const plan = await call(`${management}/plan`, { key: accessKey });
    assert.equal(plan.json.requestsPerMinute, 100);
    assert.ok(plan.json.expiresAt);
    assert.equal((await call(`${management}/plan/disable`, { method: 'POST', key: accessKey })).status, 200);
    assert.equal((await call(`${tokens}/tokens`, { key: accessKey })).json.type, '/problems/key-disabled');
  });

  test('an expired key is refused', async () => {
    const { accessKey } = await create({ expiresIn: '1s' });
    await eventually(async () => (await call(`${tokens}/tokens`, { key: accessKey })).json.type === '/problems/key-expired', 'the expiry');
  });
});
