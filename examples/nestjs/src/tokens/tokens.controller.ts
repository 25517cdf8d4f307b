import { Controller, Get, Logger, NotFoundException, Param } from '@nestjs/common';
import { AccessKey } from '@latchkey/nestjs';
import { catalog, type Token } from './catalog.js';

@Controller('tokens')
export class TokensController {
  readonly #log = new Logger('requests');

  @Get()
  list(@AccessKey('userId') user: string): Token[] {
    this.#log.log(`${user} lists tokens`);
    return catalog;
  }

  @Get(':symbol')
  one(@AccessKey('userId') user: string, @Param('symbol') symbol: string): Token {
    this.#log.log(`${user} looks at ${symbol}`);
    const token = catalog.find((each) => each.symbol === symbol);
    if (!token) throw new NotFoundException(`no token ${symbol}`);
    return token;
  }
}
