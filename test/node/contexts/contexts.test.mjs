// The guard in contexts that are not plain HTTP, each with the real transport: GraphQL on both servers, WebSockets on both
// adapters, a microservice over TCP.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { ApolloDriver } from '@nestjs/apollo';
import { Controller, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { MercuriusDriver } from '@nestjs/mercurius';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { firstValueFrom } from 'rxjs';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { Latchkey, LatchkeyGuard, LatchkeyModule } from '@latchkey/nestjs';
import { freePort } from './servers.mjs';
import { Stack } from './harness.mjs';

function decorate(type, method, ...decorators) {
  for (const one of decorators) one(type.prototype, method, Object.getOwnPropertyDescriptor(type.prototype, method));
}

/** What Nest logs; `text` is for whoever looks for a word in it. */
function newLog() {
  const log = { text: '' };
  for (const level of ['log', 'error', 'warn', 'debug', 'verbose', 'fatal']) log[level] = (...words) => { log.text += `${words.map(String).join(' ')}\n`; };
  return log;
}

function moduleOf(latchkey, { imports = [], controllers = [], providers = [], headersOf } = {}) {
  class App {}
  Module({
    imports: [LatchkeyModule.forRoot({ latchkey, headersOf }), ...imports], controllers,
    providers: [{ provide: APP_GUARD, useExisting: LatchkeyGuard }, ...providers],
  })(App);
  return App;
}

describe('other contexts', () => {
  let stack, latchkey;
  before(async () => {
    stack = await Stack.start();
    latchkey = await Latchkey.open(stack.nativeOptions());
  });
  after(async () => {
    await latchkey.close();
    await stack.stop();
  });

  for (const [title, driver, adapter, context] of [
    ['Apollo on Express', ApolloDriver, () => new ExpressAdapter()],
    ['Mercurius on Fastify', MercuriusDriver, () => new FastifyAdapter(), (req, res) => ({ req, res })],
  ]) {
    test(`GraphQL: ${title}`, async () => {
      class Hello {
        hello() { return 'hello'; }
      }
      decorate(Hello, 'hello', Query(() => String));
      Resolver()(Hello);
      const graphql = GraphQLModule.forRoot({ driver, autoSchemaFile: true, ...(context ? { context } : {}) });
      const app = await NestFactory.create(moduleOf(latchkey, { imports: [graphql], providers: [Hello] }), adapter(), { logger: false });
      await app.listen(0, '127.0.0.1');
      const { accessKey } = await stack.newKey(2);
      const ask = async (headers) => {
        const answer = await fetch(`${await app.getUrl()}/graphql`, {
          method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: '{"query":"{ hello }"}',
        });
        return { headers: answer.headers, ...(await answer.json()) };
      };
      const admitted = await ask({ 'X-API-Key': accessKey });
      assert.deepEqual(admitted.data, { hello: 'hello' });
      assert.match(admitted.headers.get('ratelimit'), /^"per-minute";r=1;t=\d+$/);
      await ask({ 'X-API-Key': accessKey });
      const limited = await ask({ 'X-API-Key': accessKey });
      assert.equal(limited.errors[0].extensions.code, 'RATE_LIMITED');
      assert.equal(limited.errors[0].extensions.problem.type, '/problems/rate-limited');
      assert.ok(Number(limited.headers.get('retry-after')) >= 1);
      const refused = await ask({});
      assert.equal(refused.errors[0].extensions.code, 'NO_CREDENTIALS');
      assert.equal(refused.data?.hello ?? null, null);
      await app.close();
    });
  }

  function gatewayOf() {
    let calls = 0;
    class Gateway {
      hello() { ++calls; return { event: 'hello', data: 'hello' }; }
    }
    decorate(Gateway, 'hello', SubscribeMessage('hello'));
    WebSocketGateway()(Gateway);
    return { Gateway, calls: () => calls };
  }

  test('socket.io: the key of the handshake, each message counted', async () => {
    const { Gateway, calls } = gatewayOf();
    const app = await NestFactory.create(moduleOf(latchkey, { providers: [Gateway] }), { logger: false });
    app.useWebSocketAdapter(new IoAdapter(app));
    await app.listen(0, '127.0.0.1');
    const { accessKey } = await stack.newKey(2);
    const url = await app.getUrl();
    const says = async (socket) => {
      const heard = Promise.race([once(socket, 'hello'), once(socket, 'exception')]);
      socket.emit('hello', {});
      return (await heard)[0];
    };
    const socket = io(url, { extraHeaders: { 'X-API-Key': accessKey }, transports: ['websocket'], forceNew: true });
    assert.equal(await says(socket), 'hello');
    assert.equal(await says(socket), 'hello');
    const limited = await says(socket);
    assert.equal(limited.problem?.type, '/problems/rate-limited', JSON.stringify(limited));
    assert.equal(limited.code, 'RATE_LIMITED');
    assert.ok(limited.retryAfter >= 1);
    socket.close();
    const stranger = io(url, { transports: ['websocket'], forceNew: true });
    assert.equal((await says(stranger)).problem?.type, '/problems/no-credentials');
    stranger.close();
    assert.equal(calls(), 2);
    await app.close();
  });

  test('ws: refused in words without headersOf, and by it once told where the key is', async () => {
    const { accessKey } = await stack.newKey();
    for (const headersOf of [undefined, (context) => ({ 'x-api-key': context.switchToWs().getData()?.key })]) {
      const { Gateway, calls } = gatewayOf();
      const log = newLog();
      const app = await NestFactory.create(moduleOf(latchkey, { providers: [Gateway], headersOf }), { logger: log });
      app.useWebSocketAdapter(new WsAdapter(app));
      await app.listen(0, '127.0.0.1');
      const socket = new WebSocket((await app.getUrl()).replace('http', 'ws'));
      await once(socket, 'open');
      const says = async (data) => {
        const heard = once(socket, 'message');
        socket.send(JSON.stringify({ event: 'hello', data }));
        return JSON.parse((await heard)[0]);
      };
      const admitted = await says({ key: accessKey });
      const refused = await says({ key: 'nonsense' });
      if (headersOf) {
        assert.deepEqual(admitted, { event: 'hello', data: 'hello' });
        assert.equal(refused.data?.problem?.type, '/problems/invalid-token', JSON.stringify(refused));
      } else {
        assert.equal(admitted.event, 'exception');
        assert.equal(admitted.data.message, 'Internal server error');
        assert.match(log.text, /no request in this ws context.*headersOf/);
      }
      assert.equal(calls(), headersOf ? 1 : 0);
      socket.close();
      await app.close();
    }
  });

  test('a microservice over TCP: likewise', async () => {
    const { accessKey } = await stack.newKey();
    for (const headersOf of [undefined, (context) => ({ 'x-api-key': context.switchToRpc().getData()?.key })]) {
      let calls = 0;
      class Service {
        hello() { ++calls; return 'hello'; }
      }
      decorate(Service, 'hello', MessagePattern('hello'));
      Controller()(Service);
      const port = await freePort();
      const log = newLog();
      const at = { transport: Transport.TCP, options: { host: '127.0.0.1', port } };
      const app = await NestFactory.createMicroservice(moduleOf(latchkey, { controllers: [Service], headersOf }), { ...at, logger: log });
      await app.listen();
      const client = ClientProxyFactory.create(at);
      const says = (data) => firstValueFrom(client.send('hello', data)).then((answer) => ({ answer }), (error) => ({ error }));
      const admitted = await says({ key: accessKey });
      const refused = await says({ key: 'nonsense' });
      if (headersOf) {
        assert.deepEqual(admitted, { answer: 'hello' });
        assert.equal(refused.error?.problem?.type, '/problems/invalid-token', JSON.stringify(refused));
      } else {
        assert.equal(admitted.error.message, 'Internal server error');
        assert.match(log.text, /no request in this rpc context.*headersOf/);
      }
      assert.equal(calls, headersOf ? 1 : 0);
      client.close();
      await app.close();
    }
  });
});
