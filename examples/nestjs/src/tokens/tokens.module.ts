import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { LatchkeyGuard, LatchkeyModule } from '@latchkey/nestjs';
import { HealthController } from './health.controller.js';
import { TokensController } from './tokens.controller.js';

/**
 * Microservice 2, Token Information: queries. It follows the changes that the store records and decides by its own view
 * of them, so no request goes to the first service.
 */
@Module({
  imports: [LatchkeyModule.forRoot({ dataDir: process.env['DATA_DIR'] ?? './latchkey-data' })],
  controllers: [TokensController, HealthController],
  providers: [{ provide: APP_GUARD, useExisting: LatchkeyGuard }],
})
export class TokensModule {}
