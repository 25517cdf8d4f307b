import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { LatchkeyModuleOptions } from './options';

export const {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN: moduleOptions,
  OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<LatchkeyModuleOptions>()
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build();
