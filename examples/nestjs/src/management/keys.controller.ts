import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import type { CreateKey, IssuedKey, Key, KeyStatus, UpdateKey } from '@latchkey/management';
import { Latchkeys } from './latchkeys.js';

/** Admin commands. */
@Controller('keys')
export class KeysController {
  constructor(@Inject(Latchkeys) private readonly latchkeys: Latchkeys) {}

  @Post()
  create(@Headers('authorization') admin: string, @Body() body: CreateKey): Promise<IssuedKey> {
    return this.latchkeys.asAdmin(admin).createKey(body, { wait: true });
  }

  @Get()
  async list(@Headers('authorization') admin: string, @Query('userId') userId?: string, @Query('status') status?: KeyStatus): Promise<Key[]> {
    const keys: Key[] = [];
    const filter = { ...(userId ? { userId } : {}), ...(status ? { status } : {}) };
    for await (const key of this.latchkeys.asAdmin(admin).keys(filter)) keys.push(key);
    return keys;
  }

  @Patch(':keyId')
  update(@Headers('authorization') admin: string, @Param('keyId') keyId: string, @Body() body: UpdateKey): Promise<Key> {
    return this.latchkeys.asAdmin(admin).updateKey(keyId, body, { wait: true });
  }

  /** Once this has answered, no request that is sent is let in with the key. */
  @Delete(':keyId')
  @HttpCode(204)
  async remove(@Headers('authorization') admin: string, @Param('keyId') keyId: string): Promise<void> {
    await this.latchkeys.asAdmin(admin).deleteKey(keyId, { wait: true });
  }
}
