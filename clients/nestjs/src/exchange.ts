import type { ExecutionContext } from '@nestjs/common';
import type { AccessKey } from '@latchkey/node';

/** A request, as far as the guard looks at it. */
export interface GuardedRequest {
  rawHeaders?: string[];
  headers?: Record<string, string | string[] | undefined>;
  /** Of a socket.io handshake: where the client is. */
  address?: string;
  /** Fastify: node:http's. */
  raw?: { rawHeaders: string[] };
  /** Express': the response to it. */
  res?: GuardedResponse;
  accessKey?: AccessKey | null;
}

/** Express' response or Fastify's reply. */
export interface GuardedResponse {
  setHeader?(name: string, value: string): unknown;
  header?(name: string, value: string): unknown;
}

export interface Exchange {
  request: GuardedRequest;
  /** None where nothing can be said in headers: GraphQL without `res` in its context, WebSockets. */
  response: GuardedResponse | undefined;
}

interface GraphqlContext {
  req?: GuardedRequest;
  request?: GuardedRequest;
  res?: GuardedResponse;
  reply?: GuardedResponse;
}

/** undefined: this kind of context has no request that is known here. */
export function exchangeOf(context: ExecutionContext): Exchange | undefined {
  switch (context.getType<string>()) {
    case 'http': {
      const http = context.switchToHttp();
      return { request: http.getRequest<GuardedRequest>(), response: http.getResponse<GuardedResponse>() };
    }
    case 'graphql': {
      const graphql = context.getArgByIndex<GraphqlContext | undefined>(2);
      const request = graphql?.req ?? graphql?.request;
      return request && { request, response: graphql?.res ?? graphql?.reply ?? request.res };
    }
    case 'ws': {
      const client = context.switchToWs().getClient<{ handshake?: GuardedRequest }>();
      return client.handshake && { request: client.handshake, response: undefined };
    }
    default:
      return undefined;
  }
}

export function setHeader(response: GuardedResponse, name: string, value: string): void {
  if (response.setHeader) response.setHeader(name, value);
  else response.header?.(name, value);
}
