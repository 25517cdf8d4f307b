export { LatchkeyModule } from './module';
export { LatchkeyGuard } from './guard';
export { AccessKey, Cost, Public, Rule, Scopes } from './decorators';
export { AccessRefused, AccessRefusedFilter } from './refusal';
export type { LatchkeyModuleOptions } from './options';
export { Latchkey, LatchkeyError } from '@latchkey/node';
