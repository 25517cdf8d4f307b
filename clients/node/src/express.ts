import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Latchkey } from './latchkey';
import type { Needs } from './options';
import { problemType, type AccessKey, type Verdict } from './verdict';

/** What the middleware adds to a request that it lets pass; null: see `onUnavailable: 'admit'`. */
export interface KeyHolder {
  accessKey?: AccessKey | null;
}

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request extends KeyHolder {}
  }
}

export type Middleware = (request: IncomingMessage & KeyHolder, response: ServerResponse, next: (error?: unknown) => void) => void;

function settle(verdict: Verdict, request: KeyHolder, response: ServerResponse, next: () => void): void {
  for (const [name, value] of verdict.headers) response.setHeader(name, value);
  if (verdict.admitted) {
    request.accessKey = verdict.key;
    return next();
  }
  response.statusCode = verdict.status;
  response.setHeader('Content-Type', problemType);
  response.end(verdict.body);
}

/** Express, Connect, or plain node:http: lets a request pass with `request.accessKey`, or answers the refusal. */
export function requireAccessKey(latchkey: Latchkey, needs: Needs = {}): Middleware {
  const checked = latchkey.needs(needs);
  return (request, response, next) => {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = latchkey.checkRequest(request, checked);
    } catch (error) {
      return next(error);
    }
    if ('admitted' in verdict) return settle(verdict, request, response, next);
    verdict.then((decided) => settle(decided, request, response, next)).catch(next);
  };
}
