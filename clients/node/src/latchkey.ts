import type { IncomingMessage } from 'node:http';
import { Kind, linesIn, presentedBy } from './credentials';
import type { Engine, State } from './engine';
import { HttpEngine } from './http';
import { NativeEngine } from './native';
import { checkNeeds, checkOptions, noNeeds, type LatchkeyOptions, type Needs } from './options';
import { nobody, type Asker } from './origin';
import type { Verdict } from './verdict';

/** Those that are open here, to be closed when the process ends in a way that runs no cleanup hook. */
const open = new Set<Engine>();
let watching = false;

/** Marks needs that are checked; no copy of them has it. */
const acceptedBy = Symbol('accepted by');

function closeAtExit(): void {
  if (watching) return;
  watching = true;
  process.once('exit', () => open.forEach((engine) => engine.closeNow()));
}

/** Checks access keys. One for a process, or for a worker thread, which share what they can. */
export class Latchkey {
  readonly #engine: Engine;

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Rejects with a LatchkeyError where it cannot work: a wrong option, a directory that another process counts in, a
   * file that cannot be opened. Resolves once requests can be decided, or after `startTimeout`.
   */
  static async open(options: LatchkeyOptions = {}): Promise<Latchkey> {
    const checked = checkOptions(options);
    const engine = checked.engine === 'native' ? await NativeEngine.open(checked) : HttpEngine.open(checked);
    open.add(engine);
    closeAtExit();
    return new Latchkey(engine);
  }

  /**
   * These needs, to be given to a check. Throws a LatchkeyError where they are written wrongly, or where this engine could
   * not see to it that a request meets them: call it at start.
   */
  needs(needs: Needs): Needs {
    checkNeeds(needs);
    this.#engine.accept(needs);
    return Object.freeze(Object.defineProperty({ ...needs }, acceptedBy, { value: this.#engine }));
  }

  /**
   * An access key by itself. Counted. A promise only where a signature or a round trip is needed. `address`: where the
   * request comes from; a key that is bound to networks is refused without it.
   */
  check(accessKey: string, needs?: Needs, address?: string): Verdict | Promise<Verdict> {
    const asker = address === undefined ? nobody : { rawHeaders: [], address };
    return this.#engine.check({ kind: Kind.token, value: accessKey }, this.#checked(needs), asker);
  }

  /** Whatever key a request presents: `Authorization: Bearer` or `X-API-Key`. Counted. */
  checkRequest(request: Pick<IncomingMessage, 'rawHeaders'> & Partial<Pick<IncomingMessage, 'socket'>>, needs?: Needs): Verdict | Promise<Verdict> {
    return this.#engine.check(presentedBy(request), this.#checked(needs), request);
  }

  /** The same for a record of headers. `address`: of the connection's other end. */
  checkHeaders(headers: Record<string, string | string[] | undefined>, needs?: Needs, address?: string): Verdict | Promise<Verdict> {
    const asker: Asker = { rawHeaders: linesIn(headers), address };
    return this.#engine.check(presentedBy(asker), this.#checked(needs), asker);
  }

  #checked(needs: Needs | undefined): Needs {
    if (needs === undefined) return noNeeds;
    return (needs as { [acceptedBy]?: Engine })[acceptedBy] === this.#engine ? needs : this.needs(needs);
  }

  /** Whether requests can be decided now. */
  state(): State | Promise<State> {
    return this.#engine.state();
  }

  /** Ends it: what was begun is answered, and nothing of it keeps the process alive. May be called twice. */
  async close(): Promise<void> {
    await this.#engine.close();
    open.delete(this.#engine);
  }
}
