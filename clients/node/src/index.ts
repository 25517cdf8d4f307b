export { Latchkey } from './latchkey';
export { LatchkeyError } from './error';
export { checkNeeds, type LatchkeyOptions, type Needs } from './options';
export { problemType } from './verdict';
export type { AccessKey, Admitted, Header, Problem, Refused, Verdict } from './verdict';
export type { State } from './engine';
