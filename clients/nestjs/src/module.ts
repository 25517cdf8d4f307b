import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Latchkey } from '@latchkey/node';
import { LatchkeyGuard } from './guard';
import { ConfigurableModuleClass, moduleOptions } from './module-definition';
import type { LatchkeyModuleOptions } from './options';
import { AccessRefusedFilter } from './refusal';

/**
 * `LatchkeyModule.forRoot({ dataDir })` or `forRootAsync({ useFactory, inject })`. Global unless `isGlobal: false`.
 * Gives LatchkeyGuard, for `@UseGuards(LatchkeyGuard)` or `{ provide: APP_GUARD, useExisting: LatchkeyGuard }`, and
 * Latchkey itself. The application does not start where Latchkey cannot.
 */
@Module({
  providers: [
    {
      provide: Latchkey,
      inject: [moduleOptions],
      useFactory: ({ latchkey, headersOf: _, ...options }: LatchkeyModuleOptions) => latchkey ?? Latchkey.open(options),
    },
    LatchkeyGuard,
    { provide: APP_FILTER, useClass: AccessRefusedFilter },
  ],
  exports: [Latchkey, LatchkeyGuard, moduleOptions],
})
export class LatchkeyModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  constructor(
    @Inject(Latchkey) private readonly latchkey: Latchkey,
    @Inject(moduleOptions) private readonly options: LatchkeyModuleOptions,
  ) {
    super();
  }

  /** After `app.close()` has let the requests in progress end. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.options.latchkey) await this.latchkey.close();
  }
}
