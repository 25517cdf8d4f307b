import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Latchkey, LatchkeyError, type Needs, type Verdict } from '@latchkey/node';
import { costKey, publicKey, ruleKey, scopesKey } from './decorators';
import { exchangeOf, setHeader, type Exchange } from './exchange';
import { moduleOptions } from './module-definition';
import type { LatchkeyModuleOptions } from './options';
import { refusalIn } from './refusal';

/**
 * Lets a request pass whose access key may, and adds `RateLimit` headers. Throws AccessRefused otherwise, and in contexts
 * of WebSockets and microservices their own exceptions.
 */
@Injectable()
export class LatchkeyGuard implements CanActivate {
  /** By handler and class: what their decorators say does not change. */
  readonly #routes = new WeakMap<object, WeakMap<object, Needs | 'public'>>();

  constructor(
    @Inject(Latchkey) private readonly latchkey: Latchkey,
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(moduleOptions) private readonly options: LatchkeyModuleOptions,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const needs = this.#needsOf(context.getHandler(), context.getClass());
    if (needs === 'public') return true;
    const exchange = this.#exchangeOf(context);
    const { request } = exchange;
    const raw = request.raw ?? request;
    const verdict = raw.rawHeaders
      ? this.latchkey.checkRequest(raw as IncomingMessage, needs)
      : this.latchkey.checkHeaders(request.headers ?? {}, needs, request.address);
    if ('admitted' in verdict) return settle(context, exchange, verdict);
    return verdict.then((decided) => settle(context, exchange, decided));
  }

  #needsOf(handler: object, type: object): Needs | 'public' {
    let byClass = this.#routes.get(handler);
    if (!byClass) this.#routes.set(handler, (byClass = new WeakMap()));
    let known = byClass.get(type);
    if (known === undefined) {
      known = this.#read(handler, type);
      byClass.set(type, known);
    }
    return known;
  }

  #read(handler: object, type: object): Needs | 'public' {
    const said = <T>(key: string): T | undefined => this.reflector.getAllAndOverride(key, [handler, type] as never);
    if (said<boolean>(publicKey)) return 'public';
    const [scopes, cost, rule] = [said<string[]>(scopesKey), said<number>(costKey), said<string>(ruleKey)];
    return this.latchkey.needs({ ...(scopes ? { scopes } : {}), ...(cost === undefined ? {} : { cost }), ...(rule === undefined ? {} : { rule }) });
  }

  #exchangeOf(context: ExecutionContext): Exchange {
    const exchange = exchangeOf(context);
    if (exchange) return exchange;
    if (this.options.headersOf) return { request: { headers: this.options.headersOf(context) }, response: undefined };
    // No HttpException: those of WebSockets and microservices would be logged by nobody.
    throw new LatchkeyError(
      'LATCHKEY_CONFIGURATION',
      `LatchkeyGuard finds no request in this ${context.getType<string>()} context. For GraphQL let the context be ` +
        '({ req, res }); elsewhere say with the option headersOf where the headers are, or mark the handler @Public()',
    );
  }
}

function settle(context: ExecutionContext, { request, response }: Exchange, verdict: Verdict): boolean {
  if (response) for (const [name, value] of verdict.headers) setHeader(response, name, value);
  if (!verdict.admitted) throw refusalIn(context.getType<string>(), verdict);
  request.accessKey = verdict.key;
  return true;
}
