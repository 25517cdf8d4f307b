// One guarded application for each framework. `/` answers whose key it is; `/public` wants none where the framework has
// such a word; `/slow` says `slow` on the standard output and answers 300 ms later; `/dear` costs 5;
// `/orders` wants a scope.
import 'reflect-metadata';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import fastify from 'fastify';
import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { requireAccessKey } from '@latchkey/node/express';
import { latchkeyPlugin } from '@latchkey/node/fastify';
import { AccessKey, Cost, LatchkeyGuard, LatchkeyModule, Public, Rule, Scopes } from '@latchkey/nestjs';

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** As an application ends: what was begun is answered. */
    async close() {
      server.close();
      server.closeIdleConnections();
      await once(server, 'close');
    },
  };
}

async function slowly(answer) {
  console.log('slow');
  await sleep(300);
  return answer;
}

const dear = { cost: 5, rule: 'dear' };
const orders = { scopes: ['orders:read'], rule: 'orders' };

const apps = {
  async node(latchkey) {
    const guard = requireAccessKey(latchkey);
    const guards = { '/dear': requireAccessKey(latchkey, dear), '/orders': requireAccessKey(latchkey, orders) };
    return listen(http.createServer((request, response) => (guards[request.url] ?? guard)(request, response, async () => {
      if (request.url === '/slow') await slowly();
      response.end(JSON.stringify(request.accessKey));
    })));
  },

  async express(latchkey) {
    const app = express();
    app.get('/public', (request, response) => void response.json(request.accessKey ?? null));
    app.get('/dear', requireAccessKey(latchkey, dear), (request, response) => void response.json(request.accessKey));
    app.get('/orders', requireAccessKey(latchkey, orders), (request, response) => void response.json(request.accessKey));
    app.use(requireAccessKey(latchkey));
    app.get('/', (request, response) => void response.json(request.accessKey));
    app.get('/slow', async (request, response) => void response.json(await slowly(request.accessKey)));
    return listen(http.createServer(app));
  },

  async fastify(latchkey) {
    const app = fastify();
    await app.register(latchkeyPlugin, { latchkey });
    app.get('/', async (request) => request.accessKey);
    app.get('/slow', (request) => slowly(request.accessKey));
    app.get('/dear', { config: { latchkey: dear } }, async (request) => request.accessKey);
    app.get('/orders', { config: { latchkey: orders } }, async (request) => request.accessKey);
    app.get('/public', { config: { latchkey: { public: true } } }, async (request) => JSON.stringify(request.accessKey));
    return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
  },

  nestExpress: (latchkey) => nest(latchkey, new ExpressAdapter()),
  nestFastify: (latchkey) => nest(latchkey, new FastifyAdapter()),
};

async function nest(latchkey, adapter) {
  const app = await NestFactory.create(moduleOf({ latchkey }), adapter, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), close: () => app.close() };
}

/** As decorators would have it; plain JavaScript calls them as the functions they are. */
export function moduleOf(options) {
  class Guarded {
    mine(key) { return key; }
    name(user) { return { user }; }
    slow(key) { return slowly(key); }
    dear(key) { return key; }
    orders(key) { return key; }
    open(key) { return { key }; }
  }
  const route = (method, path, ...more) => {
    const property = Object.getOwnPropertyDescriptor(Guarded.prototype, method);
    for (const decorate of [Get(path), ...more]) decorate(Guarded.prototype, method, property);
  };
  AccessKey()(Guarded.prototype, 'mine', 0);
  AccessKey()(Guarded.prototype, 'slow', 0);
  AccessKey()(Guarded.prototype, 'dear', 0);
  AccessKey()(Guarded.prototype, 'orders', 0);
  AccessKey('userId')(Guarded.prototype, 'name', 0);
  AccessKey()(Guarded.prototype, 'open', 0);
  route('mine', '/');
  route('name', '/name');
  route('slow', '/slow');
  route('dear', '/dear', Cost(dear.cost), Rule(dear.rule));
  route('orders', '/orders', Scopes(...orders.scopes), Rule(orders.rule));
  route('open', '/public', Public());
  Controller()(Guarded);
  class App {}
  Module({
    imports: [LatchkeyModule.forRoot(options)],
    controllers: [Guarded],
    providers: [{ provide: APP_GUARD, useExisting: LatchkeyGuard }],
  })(App);
  return App;
}

export const appNames = Object.keys(apps);
export const start = (name, latchkey) => apps[name](latchkey);
