/** Whose request it is. One object for all requests of a key, so it is frozen. */
export interface AccessKey {
  readonly keyId: string;
  readonly userId: string;
  readonly requestsPerMinute: number;
}

/** A problem document (RFC 9457), as the Token Information service gives it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** `/v1/requests/{id}` of the management service explains it: where a service decided. */
  readonly instance?: string;
  /** The names of the limits that refused: of `rate-limited`, `quota-exceeded` and `cost-exceeds-limit`. */
  readonly 'violated-policies'?: readonly string[];
}

/** What may pass, and whose it is. */
export interface Admitted {
  readonly admitted: true;
  /** null only where the engine could not ask and `onUnavailable: 'admit'` was chosen, or the service's rule is public. */
  readonly key: AccessKey | null;
  /** Permits left of the limit that has the fewest; null as above, and where no limit is in force. */
  readonly remaining: number | null;
  /** `RateLimit-Policy` and `RateLimit`, for the answer. */
  readonly headers: readonly Header[];
}

/** What may not pass, and the whole answer that says why. */
export interface Refused {
  readonly admitted: false;
  readonly status: number;
  /** The last part of the problem's type: `rate-limited`, `key-disabled`, … */
  readonly reason: string;
  readonly problem: Problem;
  /** The problem as JSON text, octet for octet what the service sends; of the native engine without `instance`. */
  readonly body: string;
  /** `WWW-Authenticate`, `Retry-After`, `RateLimit…`, for the answer. Content-Type is `application/problem+json`. */
  readonly headers: readonly Header[];
}

export type Header = readonly [name: string, value: string];
export type Verdict = Admitted | Refused;

export const problemType = 'application/problem+json';

export function refusedWith(body: string, headers: readonly Header[]): Refused {
  const problem = Object.freeze(JSON.parse(body)) as Problem;
  return { admitted: false, status: problem.status, reason: problem.type.replace(/^.*\//, ''), problem, body, headers };
}

/** The engine could not ask anybody. */
export const unavailable: Refused = refusedWith(
  '{"type":"/problems/limiter-unavailable","title":"Rate limit unavailable","status":503,' +
    '"detail":"The service that checks access keys cannot be reached, so nothing may pass."}',
  [['Retry-After', '1']],
);

/** See `onUnavailable: 'admit'`. */
export const admittedUnchecked: Admitted = { admitted: true, key: null, remaining: null, headers: [] };
