// The suite of both engines, each pairing and each framework: they must give the very same answers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Latchkey } from '@latchkey/node';
import { appNames, start } from './apps.mjs';
import { ask, bearer, eventually, Stack } from './harness.mjs';
import { testProcesses } from './processes.mjs';
import { forged } from './tokens.mjs';

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

/** Every answer that a name was given, over all engines and frameworks: they must be one. */
const answers = new Map();
function same(name, answer) {
  const told = {
    status: answer.status,
    type: answer.headers['content-type'],
    challenge: answer.headers['www-authenticate'],
    policy: answer.headers['ratelimit-policy'],
    retries: answer.headers['retry-after'] !== undefined,
    body: answer.body.replace(/,"instance":"\/v1\/requests\/[^"]+"/, ''),  // of a service alone, and of one request
  };
  if (!answers.has(name)) answers.set(name, told);
  assert.deepEqual(told, answers.get(name), name);
}

/** Of `scaled` a machine that is short of time gets 503 now and then: the request is sent again. */
async function decided(send) {
  return eventually(async () => {
    const answer = await send();
    return answer.status === 503 ? undefined : answer;
  }, 'a decision');
}

/** `processes`: which frameworks are run in processes of their own too, to be stopped and killed. */
export function testEngine(engine, pairing, { frameworks = appNames, processes = frameworks } = {}) {
  describe(`engine ${engine}, ${pairing}`, () => {
    let stack;
    before(async () => { stack = await Stack.start({ pairing, tokens: engine === 'http' }); });
    after(() => stack.stop());
    for (const name of processes) testProcesses(() => stack, engine, name);
    testAnswers(() => stack, engine, frameworks);
  });
}

function testAnswers(stackNow, engine, frameworks) {
  describe('in this process', () => {
    let stack, latchkey, refused;
    before(async () => {
      stack = stackNow();
      latchkey = await Latchkey.open(stack.optionsOf(engine));
      refused = await refusedRequests(stack);
    });
    after(() => latchkey.close());

    test('is ready', async () => assert.equal((await latchkey.state()).state, 'ready'));

    for (const name of frameworks) {
      describe(name, () => {
        let app;
        before(async () => { app = await start(name, latchkey); });
        after(() => app.close());

        test('admits, says whose key it is and what is left', async () => {
          const { accessKey, key } = await stack.newKey(7);
          for (const lines of [bearer(accessKey), ['X-API-Key', accessKey], ['authorization', `bearer  ${accessKey}`],
            [...bearer(accessKey), 'X-API-Key', accessKey], ['Authorization', '', 'X-API-Key', accessKey]]) {
            const answer = await decided(() => ask(app.url, lines));
            assert.equal(answer.status, 200, answer.body);
            assert.deepEqual(JSON.parse(answer.body), { keyId: key.keyId, userId: 'alice', requestsPerMinute: 7 });
            assert.equal(answer.headers['ratelimit-policy'], '"per-minute";q=7;w=60');
          }
          const last = await decided(() => ask(app.url, bearer(accessKey)));
          assert.match(last.headers.ratelimit, stack.shared ? /^"per-minute";r=[0-6];t=\d+$/ : /^"per-minute";r=1;t=\d+$/);
        });

        test('refuses as the service does', async () => {
          for (const [title, lines] of Object.entries(refused)) same(title, await ask(app.url, lines));
        });

        test('admits 5 of 200 over 64 connections, and says when to come back', async () => {
          const { accessKey } = await stack.newKey(5);
          const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
          const all = await Promise.all(Array.from({ length: 200 }, () => ask(app.url, bearer(accessKey), { agent })));
          agent.destroy();
          const admitted = all.filter(({ status }) => status === 200).length;
          const limited = all.filter(({ status }) => status === 429);
          if (stack.shared) {  // a permit that came too late for its second is lost
            assert.ok(admitted >= 1 && admitted <= 5, `${admitted}`);
            assert.equal(all.filter(({ status }) => status === 503).length, 200 - admitted - limited.length);
          } else {
            assert.equal(admitted, 5);
            assert.equal(limited.length, 195);
          }
          same('rate limited', limited[0]);
          const wait = Number(limited[0].headers['retry-after']);
          assert.ok(wait >= 1 && wait <= 61, `${wait}`);
          assert.match(limited[0].headers.ratelimit, /^"per-minute";r=0;t=\d+$/);
        });

        test('admits nothing that is sent once a revocation is enforced', async () => {
          const { accessKey, key } = await stack.newKey(1_000_000);
          const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
          let enforced = false, going = true;
          const sent = [];
          const send = async () => {
            while (going) {
              const late = enforced;
              const { status } = await ask(app.url, bearer(accessKey), { agent });
              sent.push({ late, status });
            }
          };
          const senders = Array.from({ length: 8 }, send);
          await eventually(() => sent.some(({ status }) => status === 200), 'an admitted request');
          const { enforcement } = await stack.management.disableKey(key.keyId, { wait: '60s' });
          enforced = true;
          await eventually(() => sent.filter(({ late }) => late).length >= 8, 'requests after the revocation');
          going = false;
          await Promise.all(senders);
          agent.destroy();
          assert.equal(enforcement.state, 'confirmed');
          assert.ok(sent.some(({ late, status }) => !late && status === 200));
          const after = sent.filter(({ late }) => late);
          assert.ok(after.length > 0);
          assert.deepEqual(after.filter(({ status }) => status !== 401), []);
        });

        test('a route takes its cost of the limit, or nothing', async () => {
          const [{ accessKey }, poor] = [await stack.newKey(12), await stack.newKey(3)];
          const ask12 = (path) => decided(() => ask(app.url, bearer(accessKey), { path }));
          const statuses = [];
          for (const path of ['/dear', '/dear', '/dear', '/', '/dear']) statuses.push((await ask12(path)).status);
          assert.deepEqual(statuses, [200, 200, 429, 200, 429]);
          same('too dear for what is left', await ask12('/dear'));
          const never = await decided(() => ask(app.url, bearer(poor.accessKey), { path: '/dear' }));
          assert.equal(JSON.parse(never.body).type, '/problems/cost-exceeds-limit', never.body);
          same('too dear for the limit', never);
          assert.equal((await decided(() => ask(app.url, bearer(poor.accessKey)))).status, 200);
        });

        test('several limits: all or none', async () => {
          const limits = [{ name: 'per-minute', requests: 10, window: '60s' }, { name: 'daily', requests: 3, period: 'day' }];
          const { accessKey } = await stack.newKey(null, { limits });
          const first = await ask(app.url, bearer(accessKey));
          assert.equal(first.status, 200, first.body);
          assert.equal(first.headers['ratelimit-policy'], '"per-minute";q=10;w=60, "daily";q=3');
          assert.equal(JSON.parse(first.body).requestsPerMinute, 10);
          assert.match(first.headers.ratelimit, /^"per-minute";r=9;t=\d+, "daily";r=2;t=\d+$/);
          await ask(app.url, bearer(accessKey));
          await ask(app.url, bearer(accessKey));
          const spent = await ask(app.url, bearer(accessKey));
          assert.equal(JSON.parse(spent.body).type, '/problems/quota-exceeded');
          assert.deepEqual(JSON.parse(spent.body)['violated-policies'], ['daily']);
          same('quota exceeded', spent);
          const unlimited = await stack.newKey(null, { limits: [] });
          const free = await ask(app.url, bearer(unlimited.accessKey));
          assert.equal(free.status, 200);
          assert.equal(free.headers.ratelimit, undefined);
        });

        test('networks, then scopes, then limits; what they refuse takes nothing', async () => {
          const limits = stack.shared ? undefined : [{ name: 'per-minute', requests: 2, window: '60s' }];
          const { accessKey, key } = await stack.newKey(limits ? null : 2, { limits, networks: ['203.0.113.0/24', '2001:db8::/32'], scopes: ['orders:write'] });
          const send = (path, ...forwarded) => decided(() => ask(app.url, [...bearer(accessKey), ...forwarded.flatMap((line) => ['X-Forwarded-For', line])], { path }));
          const inside = '203.0.113.7';
          const elsewhere = [[], ['198.51.100.1'], [`${inside}, 198.51.100.1`], [inside, '198.51.100.1'], ['nonsense'], [`${inside}, `], ['::ffff:198.51.100.1']];
          for (const forwarded of elsewhere) {
            for (const path of ['/orders', '/']) {
              const answer = await send(path, ...forwarded);
              assert.equal(answer.status, 403, `${path} ${forwarded}: ${answer.body}`);
              same('another network', answer);
            }
          }
          const without = await send('/orders', inside);
          assert.equal(without.headers['www-authenticate'], 'Bearer error="insufficient_scope", scope="orders:read"');
          same('another scope', without);
          // Neither took anything: two pass, and then the limit has its word, last.
          for (const forwarded of [['198.51.100.1, 203.0.113.7'], ['2001:db8::5, 127.0.0.1']]) assert.equal((await send('/', ...forwarded)).status, 200);
          assert.equal((await send('/', inside)).status, 429);
          assert.equal((await send('/orders', inside)).status, 403);
          assert.equal((await send('/')).status, 403);
          await stack.management.updateKey(key.keyId, { scopes: ['orders:*'] }, { wait: '60s' });
          assert.equal((await send('/orders', inside)).status, 429);
          await stack.management.updateKey(key.keyId, { scopes: [] }, { wait: '60s' });
          same('no scope at all', await send('/orders', inside));
        });

        test('a key of a plan is bound as its plan is', async () => {
          const plan = `reader-${engine}-${name.toLowerCase()}`;
          await stack.api('PUT', `/v1/plans/${plan}`, { limits: [{ name: 'per-minute', requests: 9, window: '60s' }], scopes: ['orders:read'], networks: ['127.0.0.1'] });
          const { accessKey } = await stack.newKey(null, { plan });
          const free = await stack.newKey(9);
          for (const token of [accessKey, free.accessKey]) {
            assert.equal((await decided(() => ask(app.url, bearer(token), { path: '/orders' }))).status, 200);
          }
          const answer = await decided(() => ask(app.url, [...bearer(accessKey), 'X-Forwarded-For', '192.0.2.1'], { path: '/orders' }));
          assert.equal(JSON.parse(answer.body).type, '/problems/network-not-allowed');
        });

        test('a rotated key passes for its grace', async () => {
          const { accessKey, key } = await stack.newKey();
          const next = await stack.management.rotateKey(key.keyId, { gracePeriod: '1h' }, { wait: '60s' });
          assert.notEqual(next.accessKey, accessKey);
          for (const token of [next.accessKey, accessKey]) {
            assert.equal((await decided(() => ask(app.url, bearer(token)))).status, 200);
          }
        });

        if (name !== 'node') {
          test('a public route wants no key and looks at none', async () => {
            const answer = await ask(app.url, bearer('nonsense'), { path: '/public' });
            assert.equal(answer.status, 200);
            assert.equal(answer.headers.ratelimit, undefined);
          });
        }
        if (name === 'fastify') {
          test('wants a key for a path that leads nowhere, too', async () => {
            assert.equal((await ask(app.url, [], { path: '/nowhere' })).status, 401);
          });
        }
        if (name.startsWith('nest')) {
          test('a parameter may be one member of the key', async () => {
            const { accessKey } = await stack.newKey();
            const answer = await decided(() => ask(app.url, bearer(accessKey), { path: '/name' }));
            assert.equal(answer.body, '{"user":"alice"}');
          });
        }
      });
    }

    test('a need that this engine cannot meet is refused where it is written', () => {
      for (const wrong of [{ cost: -1 }, { cost: 1.5 }, { cost: 1_000_001 }, { rule: 'A' }, { scopes: ['a b'] }, { scopes: [''] }, { scopes: 'read' },
        { scopes: ['x'.repeat(65)] }, { scopes: Array(33).fill('read') }, { price: 2 }]) {
        assert.throws(() => latchkey.needs(wrong), { code: 'LATCHKEY_CONFIGURATION' }, JSON.stringify(wrong));
        assert.throws(() => latchkey.check('x', Object.freeze(wrong)), { code: 'LATCHKEY_CONFIGURATION' });
      }
      for (const needs of [{ cost: 5 }, { scopes: ['read'] }]) {
        if (engine === 'http') assert.throws(() => latchkey.needs(needs), /latchkey\.toml/);
        else assert.doesNotThrow(() => latchkey.needs(needs));
      }
    });

    test('a key that is bound to networks passes only where the address is known', async () => {
      const { accessKey } = await stack.newKey(1000, { networks: ['192.0.2.0/24', '127.0.0.1'] });
      const headers = { 'x-api-key': accessKey };
      const reasonOf = async (check) => (await decided(check)).reason ?? 'admitted';
      for (const [expected, check] of [
        ['network-not-allowed', () => latchkey.check(accessKey)],
        ['network-not-allowed', () => latchkey.check(accessKey, {}, 'nonsense')],
        ['network-not-allowed', () => latchkey.check(accessKey, {}, '198.51.100.1')],
        ['admitted', () => latchkey.check(accessKey, {}, '192.0.2.1')],
        ['admitted', () => latchkey.check(accessKey, {}, '::ffff:192.0.2.1')],
        ['network-not-allowed', () => latchkey.checkHeaders(headers)],
        ['admitted', () => latchkey.checkHeaders(headers, {}, '192.0.2.1')],
        ['admitted', () => latchkey.checkHeaders({ ...headers, 'x-forwarded-for': '192.0.2.1' }, {}, '127.0.0.1')],
        ['network-not-allowed', () => latchkey.checkHeaders({ ...headers, 'x-forwarded-for': '192.0.2.1' }, {}, '198.51.100.1')],
        ['network-not-allowed', () => latchkey.checkRequest({ rawHeaders: ['X-API-Key', accessKey, 'X-Forwarded-For', '192.0.2.1'] })],
        ['admitted', () => latchkey.checkRequest({ rawHeaders: ['X-API-Key', accessKey], socket: { remoteAddress: '127.0.0.1' } })],
      ]) {
        assert.equal(await reasonOf(check), expected, String(check));
      }
    });

    test('a proxy that comes over a Unix socket is believed where that is said', async () => {
      const { accessKey } = await stack.newKey(1000, { networks: ['192.0.2.0/24'] });
      const trusting = engine === 'http' ? await Latchkey.open({ ...stack.optionsOf(engine), trustedProxies: 'unix' }) : undefined;
      const path = join(stack.folder, `${engine}.sock`);
      const app = http.createServer(async (request, response) => {
        const verdict = await (request.url === '/trusting' ? trusting : latchkey).checkRequest(request);
        response.end(verdict.reason ?? 'admitted');
      }).listen(path);
      await once(app, 'listening');
      const over = (url) => new Promise((resolve, reject) => {
        http.get({ socketPath: path, path: url, headers: { 'X-API-Key': accessKey, 'X-Forwarded-For': '192.0.2.1' } }, (answer) => answer.setEncoding('utf8').once('data', resolve)).on('error', reject);
      });
      const [said, saidTrusting] = await Promise.all([over('/'), trusting && over('/trusting')]).finally(() => {
        app.close();
        return trusting?.close();
      });
      assert.equal(said, 'network-not-allowed');
      if (trusting) assert.equal(saidTrusting, 'admitted');
    });

    test('a key by itself: admitted, refused, and never another one that looks like it', async () => {
      const { accessKey } = await stack.newKey();
      assert.equal((await decided(() => latchkey.check(accessKey))).status ?? 200, 200);
      // Read as Latin-1, U+0165 would be 'e' (0x65); cut at 4,096 octets, the longer one would be the key itself.
      const folded = accessKey.replace('e', '\u0165');
      const astral = accessKey.replace('e', '\u{1f511}');
      const tooLong = accessKey + ' '.repeat(20_000);
      const entries = {
        check: (token) => latchkey.check(token),
        'Authorization of a request': (token) => latchkey.checkRequest({ rawHeaders: ['Host', 'x', ...bearer(token)] }),
        'X-API-Key of a request': (token) => latchkey.checkRequest({ rawHeaders: ['X-API-Key', token] }),
        'both of a request': (token) => latchkey.checkRequest({ rawHeaders: [...bearer(token), 'X-API-Key', token] }),
        'a record of headers': (token) => latchkey.checkHeaders({ authorization: `Bearer ${token}` }),
        'a record of lists': (token) => latchkey.checkHeaders({ 'x-api-key': [token] }),
      };
      for (const [entry, check] of Object.entries(entries)) {
        assert.equal((await decided(() => check(accessKey))).status ?? 200, 200, entry);
        const others = [folded, astral, tooLong, `${accessKey}\0`, `${accessKey}x`, accessKey.slice(0, -1), 'x'.repeat(5000), '\ud800', forged(accessKey)];
        for (const other of entry === 'check' ? [...others, ''] : others) {
          const verdict = await check(other);
          assert.equal(verdict.admitted, false, `${entry}: ${JSON.stringify(other.slice(0, 80))}`);
          assert.deepEqual([verdict.status, verdict.reason], [401, 'invalid-token'], entry);
          const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
          assert.ok(createPrivateKey(privateKey));
        }
      }
    });

    test('after forged signatures Node loads keys as ever', async () => {
      const { accessKey } = await stack.newKey();
      for (let i = 0; i < 5; ++i) assert.equal((await latchkey.check(forged(accessKey))).reason, 'invalid-token');
      const { privateKey } = generateKeyPairSync('ed25519', { privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
      assert.ok(sign(null, Buffer.from('x'), privateKey));
      assert.equal(createHash('sha256').update('').digest('hex').slice(0, 8), 'e3b0c442');
    });
  });
}

/** A header line or several for each way to be refused; not counted, so they may be sent again. */
async function refusedRequests(stack) {
  const { management } = stack;
  const wait = { wait: '60s' };
  const good = await stack.newKey();
  const disabled = await stack.newKey();
  await management.disableKey(disabled.key.keyId, wait);
  const deleted = await stack.newKey();
  await management.deleteKey(deleted.key.keyId, wait);
  const rotated = await stack.newKey();
  await management.rotateKey(rotated.key.keyId, {}, wait);
  const expired = await stack.newKey(1000, { expiresIn: '1s' });
  await sleep(1100);
  const [head, claims, signature] = good.accessKey.split('.');
  const stranger = `${head}.${encode({ ...decode(claims), jti: '0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d' })}.${signature}`;
  return {
    'no credentials': [],
    'another scheme': ['Authorization', 'Basic YWxpY2U6c2VjcmV0'],
    'a long ticket of another scheme': ['Authorization', `Negotiate ${'x'.repeat(9000)}`],
    'nothing but an empty Authorization': ['Authorization', ''],
    'two keys in both headers': [...bearer(good.accessKey), 'X-API-Key', disabled.accessKey],
    'two keys in Authorization lines': [...bearer(good.accessKey), ...bearer(disabled.accessKey)],
    'two keys in X-API-Key lines': ['X-API-Key', good.accessKey, 'x-api-key', disabled.accessKey],
    'another scheme beside a disabled key': ['Authorization', 'Basic YWxpY2U6c2VjcmV0', 'X-API-Key', disabled.accessKey],
    'nothing after the scheme': ['Authorization', 'Bearer '],
    'two words': bearer(`${good.accessKey} ${good.accessKey}`),
    'an empty X-API-Key': ['X-API-Key', ''],
    'no token at all': bearer('nonsense'),
    'an octet above 127': ['X-API-Key', `${good.accessKey}\u00e9`],
    'over 4 KiB': bearer('x'.repeat(5000)),
    'an unknown key id': bearer(stranger),
    'a forged signature': bearer(forged(good.accessKey)),
    'a cut signature': bearer(good.accessKey.slice(0, -4)),
    'an admin token': bearer(stack.adminToken),
    'disabled': bearer(disabled.accessKey),
    'deleted': bearer(deleted.accessKey),
    'rotated': bearer(rotated.accessKey),
    'expired': bearer(expired.accessKey),
  };
}
