import type { Presented } from './credentials';
import type { Needs } from './options';
import type { Asker } from './origin';
import type { Verdict } from './verdict';

/** How it stands with the view: `ready`, or why requests are refused with 503. */
export interface State {
  readonly state: 'ready' | 'loading' | 'unregistered' | 'stale' | 'unreachable';
  /** What the view has applied; null: not known. */
  readonly position: string | null;
}

/** One of two ways to the same verdicts. */
export interface Engine {
  /** Throws a LatchkeyError where it could not see to it that a request meets these needs. */
  accept(needs: Needs): void;
  /** `needs` have been accepted. */
  check(presented: Presented, needs: Needs, asker: Asker): Verdict | Promise<Verdict>;
  state(): State | Promise<State>;
  close(): Promise<void>;
  /** As far as that can be done while the process ends. */
  closeNow(): void;
}
