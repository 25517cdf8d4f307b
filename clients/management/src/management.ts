import { randomUUID } from 'node:crypto';
import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './generated';

type Schemas = components['schemas'];
export type Key = Schemas['Key'];
export type KeyStatus = Schemas['KeyStatus'];
export type IssuedKey = Schemas['IssuedKey'];
export type CreateKey = Schemas['CreateKey'];
export type UpdateKey = Schemas['UpdateKey'];
export type RotateKey = Schemas['RotateKey'];
export type Plan = Schemas['Plan'];
export type Change = Schemas['Change'];
export type Replica = Schemas['Replica'];
export type Enforcement = Schemas['Enforcement'];
export type Problem = Schemas['Problem'];

/** The service said no: `problem` says why, `status` how. */
export class LatchkeyApiError extends Error {
  override readonly name = 'LatchkeyApiError';
  constructor(readonly status: number, readonly problem: Problem | undefined, where: string) {
    super(`${where}: ${status} ${problem ? `${problem.title}: ${problem.detail}` : 'without a problem document'}`);
  }
}

export interface ManagementOptions {
  /** Where Access Key Management listens, such as `http://127.0.0.1:7070`. */
  url: string;
  /** An admin token, or how to get one; asked for each request. Not needed for holders' calls. */
  token?: string | (() => string | Promise<string>);
  /** Instead of the global one. */
  fetch?: (request: Request) => Promise<Response>;
}

/** Until when a change is waited for: `true` for 10 s, or a duration from `1s` to `5m`. */
export interface Wait {
  wait?: boolean | string;
}
/** Act only on this version of the key: its entity tag. */
export interface IfMatch {
  ifMatch?: string;
}
export interface Idempotent {
  /** Your name for this one request. Without it the client makes one, so that its own retry makes no second key. */
  idempotencyKey?: string;
}
export interface KeyFilter {
  userId?: string;
  status?: KeyStatus;
  name?: string;
}

const waitQuery = ({ wait }: Wait): { wait?: 'enforced'; timeout?: string } =>
  wait === undefined || wait === false ? {} : { wait: 'enforced', ...(typeof wait === 'string' ? { timeout: wait } : {}) };

const idempotencyKey = ({ idempotencyKey: given }: Idempotent): string => given ?? randomUUID();

/** Access Key Management by its HTTP API. What it answers is in `enforcement` where `wait` was asked for. */
export class LatchkeyManagement {
  /** The generated client, for what has no method here: `management.api.GET('/v1/changes', …)`. */
  readonly api: Client<paths>;
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
    this.api = createClient<paths>({ baseUrl: options.url, ...(options.fetch ? { fetch: options.fetch } : {}) });
    this.api.use({
      onRequest: async ({ request }) => {
        if (!request.headers.has('Authorization') && !request.headers.has('X-API-Key')) {
          const token = await this.#token();
          if (token !== undefined) request.headers.set('Authorization', `Bearer ${token}`);
        }
        return request;
      },
    });
  }

  async #token(): Promise<string | undefined> {
    const { token } = this.#options;
    return typeof token === 'function' ? token() : token;
  }

  /** A new access key. Show it to its holder: it is in no other answer. */
  async createKey(body: CreateKey, options: Wait & Idempotent = {}): Promise<IssuedKey> {
    const header = { 'Idempotency-Key': idempotencyKey(options) };
    const params = { query: waitQuery(options), header };
    return told(await twice(() => this.api.POST('/v1/keys', { body, params })));
  }

  async getKey(keyId: string): Promise<Key> {
    return told(await this.api.GET('/v1/keys/{keyId}', { params: { path: { keyId } } }));
  }

  /** All keys, newest first, page by page as they are asked for. */
  async *keys(filter: KeyFilter & { pageSize?: number } = {}): AsyncGenerator<Key, void, undefined> {
    const { pageSize, ...query } = filter;
    let cursor: string | null = null;
    do {
      const page: Schemas['KeyPage'] = told(await this.api.GET('/v1/keys', {
        params: { query: { ...query, ...(pageSize ? { limit: pageSize } : {}), ...(cursor === null ? {} : { cursor }) } },
      }));
      yield* page.keys;
      cursor = page.nextCursor;
    } while (cursor !== null);
  }

  async updateKey(keyId: string, body: UpdateKey, options: Wait & IfMatch = {}): Promise<Key> {
    return told(await this.api.PATCH('/v1/keys/{keyId}', {
      body, params: { path: { keyId }, query: waitQuery(options), header: ifMatch(options) },
    }));
  }

  disableKey(keyId: string, options: Wait & IfMatch = {}): Promise<Key> {
    return this.updateKey(keyId, { disabled: true }, options);
  }

  enableKey(keyId: string, options: Wait & IfMatch = {}): Promise<Key> {
    return this.updateKey(keyId, { disabled: false }, options);
  }

  /** A new access key under the same id; the one before passes for `gracePeriod` longer. */
  async rotateKey(keyId: string, body: RotateKey = {}, options: Wait & IfMatch & Idempotent = {}): Promise<IssuedKey> {
    const header = { 'Idempotency-Key': idempotencyKey(options), ...ifMatch(options) };
    const params = { path: { keyId }, query: waitQuery(options), header };
    return told(await twice(() => this.api.POST('/v1/keys/{keyId}/rotate', { body, params })));
  }

  /** Final. What is waited for is in the answer where it could not be confirmed in time; undefined: it was, or nothing was waited for. */
  async deleteKey(keyId: string, options: Wait & IfMatch = {}): Promise<Enforcement | undefined> {
    const params = { path: { keyId }, query: waitQuery(options), header: ifMatch(options) };
    const answer = await this.api.DELETE('/v1/keys/{keyId}', { params });
    if (answer.response.status === 204) return undefined;
    return told<{ enforcement: Enforcement }>(answer).enforcement;
  }

  /** The audit trail after a position (by default from its begin), page by page, up to what there is now. */
  async *changes(after?: string): AsyncGenerator<Change, void, undefined> {
    for (;;) {
      const query = { ...(after === undefined ? {} : { after }), limit: 1000 };
      const page = told(await this.api.GET('/v1/changes', { params: { query } })) as Schemas['ChangePage'];
      yield* page.changes;
      if (page.changes.length === 0) return;
      after = page.nextAfter;
    }
  }

  async replicas(): Promise<Schemas['Replicas']> {
    return told(await this.api.GET('/v1/replicas'));
  }

  /** What the holder of an access key may: by that key, not by an admin token. */
  async plan(accessKey: string): Promise<Plan> {
    return told(await this.api.GET('/v1/plan', { headers: { 'X-API-Key': accessKey } }));
  }

  /** Its holder disables an access key. */
  async disableOwnKey(accessKey: string, options: Wait = {}): Promise<Plan> {
    return told(await this.api.POST('/v1/plan/disable', {
      headers: { 'X-API-Key': accessKey }, params: { query: waitQuery(options) },
    }));
  }
}

const ifMatch = ({ ifMatch: tag }: IfMatch): { 'If-Match'?: string } => (tag === undefined ? {} : { 'If-Match': tag });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

function told<T>({ data, error, response }: Answer<T>): T {
  if (data !== undefined) return data;
  const problem = typeof error === 'object' && error !== null ? (error as Problem) : undefined;
  throw new LatchkeyApiError(response.status, problem, new URL(response.url).pathname);
}

/** Once more where no answer came: the Idempotency-Key makes the second request the first one. */
async function twice<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch {
    return ask();
  }
}
