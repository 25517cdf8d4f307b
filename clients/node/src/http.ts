import { Pool, type Dispatcher } from 'undici/index.js';  // by its file: Bun puts its own in the place of 'undici'
import { Kind, type Presented } from './credentials';
import type { Engine, State } from './engine';
import { LatchkeyError } from './error';
import type { CheckedOptions, Needs } from './options';
import { originOf, type Asker } from './origin';
import { admittedUnchecked, refusedWith, unavailable, type AccessKey, type Header, type Verdict } from './verdict';

/** The headers of an answer that are the client's as well. */
const passedOn = ['RateLimit-Policy', 'RateLimit', 'Retry-After', 'WWW-Authenticate', 'Latchkey-Request-Id'] as const;

/** What can stand in a header; anything else in a value is no part of a key, and undici refuses to send it. */
const sendable = /^[\t\x20-\x7e\x80-\xff]*$/;
const longestValue = 8192;

/** Of X-Forwarded-For: entries handed on, from the right; what stands further left no service looks at. */
const most = 32;
const addressLike = /^[0-9a-fA-F:.[\]]{2,56}$/;

const malformed = refusedWith(
  '{"type":"/problems/invalid-token","title":"Invalid access key","status":401,"detail":"The access key is not valid."}',
  [['WWW-Authenticate', 'Bearer error="invalid_token"']],
);

function poolOf(options: CheckedOptions): Pool {
  const url = options.url ?? 'http://127.0.0.1:7071';
  const pooled = { connections: options.connections ?? 32, pipelining: 1, keepAliveTimeout: 30_000 };
  if (url.startsWith('unix:/')) return new Pool('http://localhost', { ...pooled, socketPath: url.slice('unix:'.length) });
  if (!/^https?:\/\/[^/?#]+\/?$/.test(url)) {
    throw new LatchkeyError('LATCHKEY_CONFIGURATION', `url must be http://host:port, https://host:port or unix:/path, not '${url}'`);
  }
  return new Pool(url, pooled);
}

/** Without other schemes than Bearer, which present nothing to the service and may be long. */
function linesOf(presented: Presented): string[] {
  if (!(presented instanceof Array)) {
    const { kind, value } = presented as { kind: Kind; value: string };
    return linesOf([kind === Kind.authorization ? 'Authorization' : 'X-API-Key', value]);
  }
  const lines: string[] = [];
  for (let i = 0; i + 1 < presented.length; i += 2) {
    const [name, value] = [presented[i]!, presented[i + 1]!];
    if (name.length === 'X-API-Key'.length || /^bearer(?: |$)/i.test(value)) lines.push(name, value);
  }
  return lines;
}

/**
 * X-Forwarded-For as a proxy in front of the service writes it: what the client says, and then the address that it has
 * here. Where nobody knows, `unknown`, lest the service take this process for the client.
 */
function forwardedFor(asker: Asker, trustsUnix: boolean): string {
  const { peer, forwardedFor: said } = originOf(asker);
  const entries = said.join(',').split(',').slice(-most).map((entry) => entry.trim()).map((entry) => (addressLike.test(entry) ? entry : 'unknown'));
  if (peer === 'unix' && trustsUnix && said.length > 0) return entries.join(', ');
  return [...(said.length > 0 ? entries : []), addressLike.test(peer) ? peer : 'unknown'].join(', ');
}

type Received = Dispatcher.ResponseData['headers'];

function one(headers: Received, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value[0] : value;
}

function keyOf(headers: Received): AccessKey {
  const requestsPerMinute = Number(/"per-minute";q=(\d+)/.exec(one(headers, 'RateLimit-Policy') ?? '')?.[1] ?? 0);  // 0: none
  const userId = one(headers, 'X-Latchkey-User-Encoded');
  return Object.freeze({
    keyId: one(headers, 'X-Latchkey-Key-Id') ?? '',
    userId: userId === undefined ? one(headers, 'X-Latchkey-User') ?? '' : decodeURIComponent(userId),
    requestsPerMinute,
  });
}

/** Of the limit that has the least left; null where none is in force. */
function remainingOf(headers: Received): number | null {
  const left = [...(one(headers, 'RateLimit') ?? '').matchAll(/;r=(\d+)/g)].map((match) => Number(match[1]));
  return left.length === 0 ? null : Math.min(...left);
}

/** The Token Information service at another place, asked for each request. */
export class HttpEngine implements Engine {
  readonly #pool: Pool;
  readonly #timeout: number;
  readonly #unchecked: Verdict;
  readonly #trustsUnix: boolean;
  #closing: Promise<void> | undefined;

  private constructor(options: CheckedOptions) {
    this.#pool = poolOf(options);
    this.#timeout = options.timeout ?? 1000;
    this.#unchecked = options.onUnavailable === 'admit' ? admittedUnchecked : unavailable;
    this.#trustsUnix = (options.trustedProxies ?? '').split(',').some((entry) => entry.trim() === 'unix');
  }

  static open(options: CheckedOptions): HttpEngine {
    return new HttpEngine(options);
  }

  accept({ cost = 1, scopes = [], rule }: Needs): void {
    if ((cost === 1 && scopes.length === 0) || rule !== undefined) return;
    const [what, line] = scopes.length > 0 ? [`scopes ${scopes.join(' ')}`, `scope = ${JSON.stringify(scopes)}`] : [`cost ${cost}`, `cost = ${cost}`];
    throw new LatchkeyError(
      'LATCHKEY_CONFIGURATION',
      `${what}: the service takes costs and scopes from its own rules only. Name one with the option rule, and write that rule ` +
        `in the service's latchkey.toml: [[rule]] name = "…", ${line}`,
    );
  }

  async check(presented: Presented, { rule }: Needs, asker: Asker): Promise<Verdict> {
    if (this.#closing) throw new LatchkeyError('LATCHKEY_CLOSED', 'this Latchkey has been closed');
    const headers = linesOf(presented);
    for (let i = 1; i < headers.length; i += 2) {
      if (headers[i]!.length > longestValue || !sendable.test(headers[i]!)) return malformed;
    }
    headers.push('X-Forwarded-For', forwardedFor(asker, this.#trustsUnix));
    let answer: Dispatcher.ResponseData;
    let body: string;
    try {
      answer = await this.#ask(rule === undefined ? '/v1/authorize' : `/v1/rules/${rule}/authorize`, headers);
      body = await answer.body.text();
    } catch {
      return this.#unchecked;
    }
    const told: Header[] = [];
    for (const name of passedOn) {
      const value = one(answer.headers, name);
      if (value !== undefined) told.push([name, value]);
    }
    if (answer.statusCode !== 200) return this.#refused(answer, body, told);
    const keyId = one(answer.headers, 'X-Latchkey-Key-Id');
    if (keyId === undefined) return this.#unchecked;  // some other server, which welcomes everybody
    if (keyId === '') return { admitted: true, key: null, remaining: null, headers: told };  // a public rule
    return { admitted: true, key: keyOf(answer.headers), remaining: remainingOf(answer.headers), headers: told };
  }

  // What is no answer of a Latchkey, such as a proxy's 502, says nothing about the key.
  #refused(answer: Dispatcher.ResponseData, body: string, told: readonly Header[]): Verdict {
    if (answer.statusCode < 400 || one(answer.headers, 'content-type') !== 'application/problem+json') return this.#unchecked;
    try {
      const refused = refusedWith(body, told);
      return refused.status === answer.statusCode ? refused : this.#unchecked;
    } catch {
      return this.#unchecked;
    }
  }

  #ask(path: string, headers: string[]): Promise<Dispatcher.ResponseData> {
    return this.#pool.request({ path, method: 'GET', headers, signal: AbortSignal.timeout(this.#timeout) });
  }

  async state(): Promise<State> {
    try {
      const answer = await this.#ask('/readyz', []);
      const told = JSON.parse(await answer.body.text()) as State;
      return { state: told.state, position: told.position };
    } catch {
      return { state: 'unreachable', position: null };
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#pool.close());
  }

  closeNow(): void {
    void this.close();
  }
}
