import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon, type Addon } from './addon';
import { Kind, type Presented } from './credentials';
import type { Engine, State } from './engine';
import { LatchkeyError } from './error';
import type { CheckedOptions, Needs } from './options';
import { originOf, type Asker } from './origin';
import { refusedWith, type AccessKey, type Header, type Refused, type Verdict } from './verdict';

/** Where the addon leaves what a verdict says: addon/environment.hpp, Details. */
const enum At { remaining, reset, retryAfter, slot, fresh, limit, keyIdSize, userIdSize, charged }
const noSlot = 0xffffffff;
const nothingRemainsToTell = 0xffffffff;
const octetsBegin = 64;
const notAtOnce = -1;
const notUnasked = -2;
const noScopes: readonly string[] = [];

class KnownKey implements AccessKey {
  constructor(readonly keyId: string, readonly userId: string, readonly requestsPerMinute: number) {}
}

/** A key whose name JavaScript has, and the header line that all its answers share. */
interface Known {
  readonly key: AccessKey;
  readonly policy: Header;
}

function linesOf(text: string): Header[] {
  return text.split('\r\n').filter((line) => line !== '').map((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)] as const;
  });
}

function settingsOf(options: CheckedOptions): string[] {
  const pairs: [string, string | undefined][] = [
    ['data_dir', options.dataDir], ['store', options.store], ['stream', options.stream], ['limiter', options.limiter],
    ['limiter_fail_open', options.onUnavailable === 'admit' ? 'true' : 'false'],
    ['max_staleness', options.maxStaleness], ['replica_name', options.replicaName],
    ['trusted_proxies', options.trustedProxies], ['client_address', options.clientAddress],
  ];
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

/** The core in this process: view, access check and limiter, asked by a plain call. */
export class NativeEngine implements Engine {
  readonly #addon: Addon;
  readonly #handle: number;
  readonly #numbers: Uint32Array;
  readonly #octets: Buffer;
  readonly #refusals: readonly Refused[];
  readonly #scopeRefusal: number;
  readonly #known: Known[] = [];
  #closing: Promise<void> | undefined;

  private constructor(addon: Addon, handle: number) {
    this.#addon = addon;
    this.#handle = handle;
    const details = addon.details();
    this.#numbers = new Uint32Array(details, 0, octetsBegin / 4);
    this.#octets = Buffer.from(details, octetsBegin);
    this.#refusals = addon.refusals().map(({ body, headerLines }) => refusedWith(body, linesOf(headerLines)));
    this.#scopeRefusal = 1 + this.#refusals.findIndex(({ reason }) => reason === 'insufficient-scope');
  }

  static async open(options: CheckedOptions): Promise<NativeEngine> {
    const addon = loadAddon();
    let handle: number;
    try {
      handle = await addon.open(settingsOf(options));
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      throw new LatchkeyError(code, message, { cause: error });
    }
    const engine = new NativeEngine(addon, handle);
    await engine.#ready(options.startTimeout ?? 10_000);
    return engine;
  }

  async #ready(timeout: number): Promise<void> {
    const end = performance.now() + timeout;
    while (this.state().state !== 'ready' && performance.now() < end) await sleep(5);
  }

  /** It charges any cost and asks for any scope. */
  accept(): void {}

  check(presented: Presented, needs: Needs, asker: Asker): Verdict | Promise<Verdict> {
    if (presented instanceof Array) return this.#judge(presented, needs, asker);
    const { kind, value } = presented as { kind: Kind; value: string };
    const code = this.#addon.check(this.#handle, kind, value, needs.cost ?? 1);
    return code >= 0 ? this.#verdict(code) : this.#asked(code, kind, value, needs, asker);
  }

  /** The key is bound to scopes or networks, or not proven yet. */
  #asked(code: number, kind: Kind, value: string, needs: Needs, asker: Asker): Verdict | Promise<Verdict> {
    const { cost = 1, scopes = noScopes } = needs;
    const { peer, forwardedFor } = originOf(asker);
    if (code === notUnasked) code = this.#addon.checkAsked(this.#handle, kind, value, cost, scopes, peer, forwardedFor);
    if (code !== notAtOnce) return this.#explained(code, scopes);
    return new Promise((resolve) => {
      this.#addon.checkLater(this.#handle, kind, value, cost, scopes, peer, forwardedFor, (later) => resolve(this.#explained(later, scopes)));
    });
  }

  #explained(code: number, scopes: readonly string[]): Verdict {
    const verdict = this.#verdict(code);
    if (code !== this.#scopeRefusal) return verdict;
    return { ...verdict, headers: [['WWW-Authenticate', `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"`]] };
  }

  #judge(lines: readonly string[], needs: Needs, asker: Asker): Verdict | Promise<Verdict> {
    const found = this.#addon.credential(lines);
    if (found < 0) return this.#refusals[-1 - found]!;
    const name = lines[2 * found]!.toLowerCase();
    return this.check({ kind: name === 'authorization' ? Kind.authorization : Kind.apiKey, value: lines[2 * found + 1]! }, needs, asker);
  }

  #verdict(code: number): Verdict {
    const numbers = this.#numbers;
    if (code !== 0 && numbers[At.slot] === noSlot) return this.#refusals[code - 1]!;
    const slot = numbers[At.slot]!;
    const known = numbers[At.fresh] === 1 ? this.#meet(slot) : this.#known[slot]!;
    if (numbers[At.charged] === 1) return this.#charged(code, known.key);
    // A key that needs no limit has no number, and its answers have no headers of one.
    if (code === 0 && known.key.requestsPerMinute === 0) {
      return { admitted: true, key: known.key, remaining: null, headers: [] };
    }
    const remaining = numbers[At.remaining]!;
    const headers: readonly Header[] = [known.policy, ['RateLimit', `"per-minute";r=${remaining};t=${numbers[At.reset]}`]];
    if (code === 0) return { admitted: true, key: known.key, remaining, headers };
    const refusal = this.#refusals[code - 1]!;
    if (refusal.status !== 429) return refusal;
    return { ...refusal, headers: [...headers, ['Retry-After', String(numbers[At.retryAfter])], ...refusal.headers] };
  }

  /** Several limits, or a cost: the addon has written the answer. */
  #charged(code: number, key: AccessKey): Verdict {
    const text = this.#addon.text();
    const end = text.indexOf('\r\n\r\n');
    const headers = linesOf(end < 0 ? text : text.slice(0, end));
    if (code !== 0) return refusedWith(text.slice(text.indexOf('{')), headers);
    const remaining = this.#numbers[At.remaining]!;
    return { admitted: true, key, remaining: remaining === nothingRemainsToTell ? null : remaining, headers };
  }

  #meet(slot: number): Known {
    const numbers = this.#numbers;
    const keyIdSize = numbers[At.keyIdSize]!;
    const limit = numbers[At.limit]!;
    const keyId = this.#octets.toString('latin1', 0, keyIdSize);
    const userId = this.#octets.toString('utf8', keyIdSize, keyIdSize + numbers[At.userIdSize]!);
    const key = Object.freeze(new KnownKey(keyId, userId, limit));
    const known: Known = { key, policy: ['RateLimit-Policy', `"per-minute";q=${limit};w=60`] };
    this.#known[slot] = known;
    return known;
  }

  state(): State & { readonly ageMillis: number; readonly keys: number } {
    return this.#addon.state(this.#handle);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#addon.close(this.#handle));
  }

  closeNow(): void {
    this.#addon.closeAll();
  }
}
