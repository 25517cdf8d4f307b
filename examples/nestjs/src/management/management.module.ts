import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { KeysController } from './keys.controller.js';
import { Latchkeys } from './latchkeys.js';
import { PlanController } from './plan.controller.js';
import { ProblemFilter } from './problem.filter.js';

/** Microservice 1, Access Key Management: commands. Every change goes to the store and nowhere else. */
@Module({
  controllers: [KeysController, PlanController],
  providers: [Latchkeys, { provide: APP_FILTER, useClass: ProblemFilter }],
})
export class ManagementModule {}
