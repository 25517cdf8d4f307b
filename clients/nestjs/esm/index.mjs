export {
  AccessKey, AccessRefused, AccessRefusedFilter, Cost, Latchkey, LatchkeyError, LatchkeyGuard, LatchkeyModule, Public,
  Rule, Scopes,
} from '../dist/index.js';
