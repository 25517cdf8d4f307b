// Every refusal that the core knows, through both engines: the http engine hands on what a service answers, whichever
// problem that is, and what no service answers it does not take for one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { Latchkey } from '@latchkey/node';

const require = createRequire(import.meta.resolve('@latchkey/node'));
const refusals = require('../dist/addon.js').loadAddon().refusals();
const later = {  // of a service that is newer than this package
  reason: 'moon-phase', status: 403, headerLines: 'WWW-Authenticate: Bearer error="insufficient_scope", scope="a b"\r\n',
  body: '{"type":"/problems/moon-phase","title":"Not now","status":403,"detail":"Wait.","violated-policies":["x"],"phase":3}',
};

describe('the http engine hands on', () => {
  let service, latchkey, answer;
  before(async () => {
    service = http.createServer((request, response) => response.writeHead(answer.status, answer.headers).end(answer.body));
    service.listen(0, '127.0.0.1');
    await once(service, 'listening');
    latchkey = await Latchkey.open({ engine: 'http', url: `http://127.0.0.1:${service.address().port}`, timeout: 60_000 });
  });
  after(async () => {
    await latchkey.close();
    service.close();
  });

  const reasons = refusals.map(({ reason }) => reason);
  for (const wanted of ['quota-exceeded', 'cost-exceeds-limit', 'limiter-full', 'user-disabled', 'insufficient-scope', 'no-limit']) {
    test(`the core knows ${wanted}`, () => assert.ok(reasons.includes(wanted)));
  }
  for (const { reason, status, headerLines, body } of [...refusals, later]) {
    test(reason, async () => {
      const headers = headerLines.split('\r\n').filter(Boolean).map((line) => line.split(/: (.*)/s).slice(0, 2));
      answer = { status, body, headers: { ...Object.fromEntries(headers), 'Content-Type': 'application/problem+json' } };
      const verdict = await latchkey.check('x');
      assert.equal(verdict.admitted, false);
      assert.equal(verdict.status, status);
      assert.equal(verdict.body, body);
      assert.deepEqual(verdict.problem, JSON.parse(body));
      assert.deepEqual(verdict.headers.toSorted(), headers.toSorted());
    });
  }
  for (const [what, wrong] of [
    ['a proxy\'s 502', { status: 502, headers: { 'Content-Type': 'text/html' }, body: '<html>' }],
    ['a redirect', { status: 302, headers: { Location: '/' }, body: '' }],
    ['a 404 of something else', { status: 404, headers: { 'Content-Type': 'application/json' }, body: '{}' }],
    ['a 204', { status: 204, headers: {}, body: '' }],
    ['a problem that is no JSON', { status: 403, headers: { 'Content-Type': 'application/problem+json' }, body: '{' }],
    ['a problem without type', { status: 403, headers: { 'Content-Type': 'application/problem+json' }, body: '{"status":403}' }],
    ['a problem that says 200', { status: 403, headers: { 'Content-Type': 'application/problem+json' }, body: '{"type":"/problems/x","status":200,"title":"","detail":""}' }],
    ['a 200 without identity', { status: 200, headers: {}, body: 'welcome' }],
  ]) {
    test(`not ${what}`, async () => {
      answer = wrong;
      const verdict = await latchkey.check('x');
      assert.equal(verdict.admitted, false);
      assert.equal(verdict.status, 503);
      assert.equal(verdict.reason, 'limiter-unavailable');
    });
  }
});
