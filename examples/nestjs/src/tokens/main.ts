import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { TokensModule } from './tokens.module.js';

const app = await NestFactory.create(TokensModule, { logger: ['log', 'warn', 'error'] });
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3002, '127.0.0.1');
console.log(`Token Information listens at ${await app.getUrl()}`);
