import { Controller, Get, Headers, HttpCode, Inject, Post, UnauthorizedException } from '@nestjs/common';
import type { Plan } from '@latchkey/management';
import { Latchkeys } from './latchkeys.js';

/** What a holder may do with the own key: see its plan, disable it. */
@Controller('plan')
export class PlanController {
  constructor(@Inject(Latchkeys) private readonly latchkeys: Latchkeys) {}

  @Get()
  plan(@Headers('x-api-key') key?: string): Promise<Plan> {
    return this.latchkeys.asHolder().plan(own(key));
  }

  @Post('disable')
  @HttpCode(200)
  disable(@Headers('x-api-key') key?: string): Promise<Plan> {
    return this.latchkeys.asHolder().disableOwnKey(own(key), { wait: true });
  }
}

function own(key: string | undefined): string {
  if (!key) throw new UnauthorizedException('An access key is needed: X-API-Key');
  return key;
}
