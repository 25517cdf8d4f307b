import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ManagementModule } from './management.module.js';

const app = await NestFactory.create(ManagementModule, { logger: ['warn', 'error'] });
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3001, '127.0.0.1');
console.log(`Access Key Management listens at ${await app.getUrl()}`);
