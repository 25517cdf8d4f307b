// The module and the guard by themselves: other contexts than HTTP, the ways to configure, what stops the start.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { AccessRefused, Cost, Latchkey, LatchkeyGuard, LatchkeyModule, Rule, Scopes } from '@latchkey/nestjs';
import { Stack } from './harness.mjs';

class Resolver { query() {} }

function context(type, args) {
  const made = new ExecutionContextHost(args, Resolver, Resolver.prototype.query);
  made.setType(type);
  return made;
}

function appOf(imported) {
  class App {}
  Module({ imports: [imported] })(App);
  return NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
}

describe('@latchkey/nestjs', () => {
  let stack, app, guard, accessKey;
  before(async () => {
    stack = await Stack.start();
    app = await appOf(LatchkeyModule.forRootAsync({ useFactory: async () => ({ dataDir: stack.dataDir }) }));
    guard = app.get(LatchkeyGuard);
    ({ accessKey } = await stack.newKey());
  });
  after(async () => {
    await app.close();
    await stack.stop();
  });

  test('GraphQL over HTTP works with req and res in its context', async () => {
    const headers = {};
    const graphql = { req: { rawHeaders: ['X-API-Key', accessKey] }, res: { setHeader: (name, value) => { headers[name] = value; } } };
    assert.equal(await guard.canActivate(context('graphql', [{}, {}, graphql, {}])), true);
    assert.equal(graphql.req.accessKey.userId, 'alice');
    assert.match(headers.RateLimit, /^"per-minute";r=\d+/);
    const refused = context('graphql', [{}, {}, { req: { rawHeaders: [] } }, {}]);
    await assert.rejects(async () => guard.canActivate(refused), (error) => error instanceof AccessRefused && error.extensions.code === 'NO_CREDENTIALS');
  });

  test('socket.io works by its handshake', async () => {
    const client = { handshake: { headers: { authorization: `Bearer ${accessKey}` } } };
    assert.equal(await guard.canActivate(context('ws', [client, {}])), true);
    assert.equal(client.handshake.accessKey.userId, 'alice');
  });

  test('contexts without a request are refused in words', async () => {
    for (const one of [context('rpc', [{}, {}]), context('graphql', [{}, {}, {}, {}]), context('ws', [{}, {}])]) {
      await assert.rejects(async () => guard.canActivate(one), (error) => error.code === 'LATCHKEY_CONFIGURATION' && /headersOf/.test(error.message) && error.message.includes(one.getType()));
    }
  });

  test('headersOf says where they are', async () => {
    const told = await appOf(LatchkeyModule.forRoot({ latchkey: app.get(Latchkey), headersOf: (rpc) => ({ 'x-api-key': rpc.getArgByIndex(0).key }) }));
    assert.equal(await told.get(LatchkeyGuard).canActivate(context('rpc', [{ key: accessKey }, {}])), true);
    await told.close();
    assert.equal((await app.get(Latchkey).state()).state, 'ready');
  });

  test('an application that Latchkey cannot serve does not start', async () => {
    await assert.rejects(appOf(LatchkeyModule.forRoot({ engine: 'grpc' })), /engine must be/);
  });

  test('a need that cannot be meant throws where it is written', () => {
    assert.throws(() => Scopes('a scope'), /scope/);
    assert.doesNotThrow(() => Scopes('read'));
    assert.throws(() => Cost(0.5), /cost/);
    assert.throws(() => Rule('no rule'), /rule/);
    assert.throws(() => Cost(-1), /cost/);
    assert.doesNotThrow(() => Cost(5));
  });
});
