// NestJS on Fastify as its experts would: HS256 through a KeyObject (a string secret costs several times as much), an
// exact limit in memory, the logger off. PEER_CACHE=1 remembers verified tokens. Plain JavaScript, so that it runs
// without a build: decorators are called as the functions they are.
import 'reflect-metadata';
import { createSecretKey } from 'node:crypto';
import { Controller, Get, HttpException, Injectable, Module, UnauthorizedException, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import jwt from 'jsonwebtoken';
import { readFileSync } from 'node:fs';

const { PEER_PORT, PEER_SECRET, PEER_BODY, PEER_HEADERS, PEER_CACHE } = process.env;
const key = createSecretKey(Buffer.from(PEER_SECRET));
const body = readFileSync(PEER_BODY, 'utf8');
const headers = { 'content-type': 'application/json', ...JSON.parse(PEER_HEADERS) };
const limit = 1_000_000;

// Admissions by subject in 61 buckets of a second with a running sum: constant work a request.
class Window {
  counts = new Uint32Array(61);
  newest = 0;
  sum = 0;
  take(second) {
    if (second - this.newest >= 61) { this.counts.fill(0); this.sum = 0; this.newest = second; }
    while (this.newest < second) {
      const slot = ++this.newest % 61;
      this.sum -= this.counts[slot];
      this.counts[slot] = 0;
    }
    if (this.sum >= limit) return false;
    ++this.counts[second % 61];
    ++this.sum;
    return true;
  }
}

class KeyGuard {
  windows = new Map();
  verified = new Map();

  subjectOf(token) {
    if (PEER_CACHE && this.verified.has(token)) return this.verified.get(token);
    try {
      const { sub } = jwt.verify(token, key, { algorithms: ['HS256'] });
      if (PEER_CACHE) this.verified.set(token, sub);
      return sub;
    } catch {
      throw new UnauthorizedException();
    }
  }

  canActivate(context) {
    const header = context.switchToHttp().getRequest().headers.authorization;
    if (!header?.startsWith('Bearer ')) throw new UnauthorizedException();
    const subject = this.subjectOf(header.slice(7));
    let window = this.windows.get(subject);
    if (!window) this.windows.set(subject, (window = new Window()));
    if (!window.take(Math.floor(performance.now() / 1000))) throw new HttpException('Too Many Requests', 429);
    return true;
  }
}
Injectable()(KeyGuard);

class TokensController {
  one() { return body; }
}
Controller('v1/tokens')(TokensController);
UseGuards(KeyGuard)(TokensController);
const one = Object.getOwnPropertyDescriptor(TokensController.prototype, 'one');
Get(':symbol')(TokensController.prototype, 'one', one);

class AppModule {}
Module({ controllers: [TokensController], providers: [KeyGuard] })(AppModule);

const adapter = new FastifyAdapter({ logger: false });
adapter.getInstance().addHook('onSend', async (_request, reply) => { reply.headers(headers); });
const app = await NestFactory.create(AppModule, adapter, { logger: false });
await app.listen(Number(PEER_PORT), '127.0.0.1');
