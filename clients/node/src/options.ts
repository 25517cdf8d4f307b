import { LatchkeyError } from './error';

/**
 * All options are known to both engines, so that `engine` alone may be changed; what an engine has no use for it leaves
 * alone. Unknown names are errors.
 */
export interface LatchkeyOptions {
  /** `native` (default): decide in this process. `http`: ask `GET /v1/authorize` of a Token Information service. */
  engine?: 'native' | 'http';
  /**
   * What becomes of a request when that on which the engine leans cannot be asked: the service (`http`), or the Redis
   * of a shared limiter (`native`). `refuse` (default) answers 503, `admit` lets it pass without a check.
   */
  onUnavailable?: 'refuse' | 'admit';

  /** native: this process's own directory (default `./latchkey-data`); with `store: 'sqlite'` that of `latchkey keys`. */
  dataDir?: string;
  /** native: `sqlite` (default: the database in `dataDir`), or a `postgresql://` URL. */
  store?: string;
  /** native: `none` (default), or a `redis://` URL that a `latchkey relay` writes to. */
  stream?: string;
  /** native: `local` (default: one process counts), or a `redis://` URL: one limit over all processes. */
  limiter?: string;
  /** native: refuse rather than decide by an older view; a duration such as `30s` (default). */
  maxStaleness?: string;
  /** native: what this process is called in `latchkey replicas`; by default the host's name. */
  replicaName?: string;
  /**
   * native: proxies whose X-Forwarded-For is believed, as `10.0.0.0/8, unix`; nobody by default. Of the http engine the
   * service decides by its own settings; there `unix` alone matters, for an application that listens at a Unix socket.
   */
  trustedProxies?: string;
  /** native: `peer` (default), or `x-forwarded-for`: which address a key's networks are held against. */
  clientAddress?: 'peer' | 'x-forwarded-for';
  /** native: how long open() waits for the view, in ms (default 10,000). Later it serves 503 until the view is there. */
  startTimeout?: number;

  /** http: where the service listens: `http://127.0.0.1:7071` (default), `https://…`, or `unix:/path`. */
  url?: string;
  /** http: the longest an answer may take, in ms (default 1,000). */
  timeout?: number;
  /** http: connections kept open at most (default 32). */
  connections?: number;
}

const kinds: { readonly [name in keyof Required<LatchkeyOptions>]: 'string' | 'number' } = {
  engine: 'string', onUnavailable: 'string', dataDir: 'string', store: 'string', stream: 'string', limiter: 'string',
  maxStaleness: 'string', replicaName: 'string', trustedProxies: 'string', clientAddress: 'string', startTimeout: 'number', url: 'string', timeout: 'number',
  connections: 'number',
};

export type CheckedOptions = LatchkeyOptions & Required<Pick<LatchkeyOptions, 'engine' | 'onUnavailable'>>;

function wrong(message: string): LatchkeyError {
  return new LatchkeyError('LATCHKEY_CONFIGURATION', message);
}

/** Throws a LatchkeyError that names the option, its value and what it may be. */
export function checkOptions(given: LatchkeyOptions): CheckedOptions {
  for (const [name, value] of Object.entries(given)) {
    const kind = kinds[name as keyof LatchkeyOptions];
    if (kind === undefined) throw wrong(`no such option: ${name}. There are: ${Object.keys(kinds).join(', ')}`);
    if (value !== undefined && typeof value !== kind) throw wrong(`${name} must be a ${kind}, not ${typeof value}`);
    if (kind === 'number' && value !== undefined && !((value as number) > 0)) throw wrong(`${name} must be above 0, not ${value}`);
  }
  const engine = given.engine ?? 'native';
  const onUnavailable = given.onUnavailable ?? 'refuse';
  if (engine !== 'native' && engine !== 'http') throw wrong(`engine must be 'native' or 'http', not '${engine}'`);
  if (onUnavailable !== 'refuse' && onUnavailable !== 'admit') {
    throw wrong(`onUnavailable must be 'refuse' or 'admit', not '${onUnavailable}'`);
  }
  return { ...given, engine, onUnavailable };
}

/** What a route asks for beyond an active key. Arguments of the guard, never taken from a request. */
export interface Needs {
  /** Scopes that the key must have, all of them. */
  scopes?: readonly string[];
  /** How many units of each limit a request takes, 0 to 1,000,000; 1 by default. */
  cost?: number;
  /**
   * The rule of the service that says the same there: the http engine asks `/v1/rules/{rule}/authorize`; scopes, and a cost
   * other than 1, want one. The native engine has no use for it.
   */
  rule?: string;
}

const needs: readonly (keyof Needs)[] = ['scopes', 'cost', 'rule'];

/** For whoever asks for no more than a key. */
export const noNeeds: Needs = Object.freeze({});

/** RFC 6749, section 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/;
const mostScopes = 32;

/** Throws a LatchkeyError that names the need and what it may be: where it is written down, at start. */
export function checkNeeds(given: Needs): void {
  for (const name of Object.keys(given)) {
    if (!(needs as readonly string[]).includes(name)) throw wrong(`no such need: ${name}. There are: ${needs.join(', ')}`);
  }
  const { cost = 1, rule, scopes = [] } = given;
  if (!Number.isInteger(cost) || cost < 0 || cost > 1_000_000) {
    throw wrong(`cost must be a whole number from 0 to 1,000,000, not ${cost}`);
  }
  if (rule !== undefined && !/^[a-z0-9-]{1,32}$/.test(rule)) throw wrong(`rule must be of a-z, 0-9 and -, at most 32, not '${rule}'`);
  if (!Array.isArray(scopes) || scopes.length > mostScopes) throw wrong(`scopes must be a list of at most ${mostScopes}`);
  for (const scope of scopes as readonly unknown[]) {
    if (typeof scope !== 'string' || !scopeToken.test(scope)) {
      throw wrong(`a scope must be 1 to 64 visible ASCII characters without space, " and \\, not '${String(scope)}'`);
    }
  }
}
