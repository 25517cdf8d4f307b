import { Controller, Get, Inject } from '@nestjs/common';
import { Latchkey, Public } from '@latchkey/nestjs';

@Public()
@Controller('health')
export class HealthController {
  constructor(@Inject(Latchkey) private readonly latchkey: Latchkey) {}

  @Get()
  state() {
    return this.latchkey.state();
  }
}
