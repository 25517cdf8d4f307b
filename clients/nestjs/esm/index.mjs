export {
  AccessKey, AccessRefused, AccessRefusedFilter, Cost, Latchkey, LatchkeyError, LatchkeyGuard, LatchkeyModule, Public,
  Scopes,
} from '../dist/index.js';
