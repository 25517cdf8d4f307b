export { Latchkey, LatchkeyError, checkNeeds, problemType } from '../dist/index.js';
