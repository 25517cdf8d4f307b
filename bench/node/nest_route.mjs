// One process with one Nest route behind two guards, each at a port of its own: ours, and one that returns true and sets
// the headers that ours would. Asked over IPC for the CPU time that it has used.
import 'reflect-metadata';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Latchkey, LatchkeyGuard, LatchkeyModule } from '@latchkey/nestjs';

const { adapter, dataDir } = JSON.parse(process.argv[2]);

class Welcoming {
  canActivate(context) {
    const response = context.switchToHttp().getResponse();
    const set = response.setHeader ? 'setHeader' : 'header';
    response[set]('RateLimit-Policy', '"per-minute";q=1000000;w=60');
    response[set]('RateLimit', '"per-minute";r=999999;t=1');
    return true;
  }
}
Injectable()(Welcoming);

class Hello {
  hello() { return { hello: 'alice' }; }
}
Get()(Hello.prototype, 'hello', Object.getOwnPropertyDescriptor(Hello.prototype, 'hello'));
Controller()(Hello);

async function serve(guard, imports) {
  class App {}
  Module({ imports, controllers: [Hello], providers: [{ provide: APP_GUARD, ...guard }] })(App);
  const app = await NestFactory.create(App, adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

const latchkey = await Latchkey.open({ dataDir });
const guarded = await serve({ useExisting: LatchkeyGuard }, [LatchkeyModule.forRoot({ latchkey })]);
const welcoming = await serve({ useClass: Welcoming }, []);
process.on('message', () => process.send({ cpu: process.cpuUsage() }));
process.send({ guarded, welcoming });
