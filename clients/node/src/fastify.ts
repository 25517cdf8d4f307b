import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Latchkey } from './latchkey';
import type { Needs } from './options';
import { problemType, type AccessKey, type Verdict } from './verdict';

/** In a route's `config.latchkey`. `public`: no key is asked for, and none is looked at. */
export type RouteNeeds = Needs & { public?: boolean };

export interface LatchkeyPluginOptions extends Needs {
  latchkey: Latchkey;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** null on public routes; else see `onUnavailable: 'admit'`. */
    accessKey: AccessKey | null;
  }
  interface FastifyContextConfig {
    latchkey?: RouteNeeds;
  }
}

function settle(verdict: Verdict, request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
  for (const [name, value] of verdict.headers) reply.header(name, value);
  if (!verdict.admitted) return reply.code(verdict.status).type(problemType).send(Buffer.from(verdict.body));  // to a string it adds a charset
  request.accessKey = verdict.key;
  return undefined;
}

const plugin: FastifyPluginAsync<LatchkeyPluginOptions> = async (fastify: FastifyInstance, options) => {
  const { latchkey, ...needs } = options;
  const checked = latchkey.needs(needs);
  const ofRoutes = new WeakMap<RouteNeeds, Needs>();
  const needsOf = (route: RouteNeeds): Needs => {
    const { public: _, ...more } = route;
    return latchkey.needs({ ...needs, ...more });
  };
  fastify.decorateRequest('accessKey', null);
  fastify.addHook('onRoute', (route) => {
    if (route.config?.latchkey) ofRoutes.set(route.config.latchkey, needsOf(route.config.latchkey));
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.config.latchkey;
    if (route?.public) return done();
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = latchkey.checkRequest(request.raw, route ? ofRoutes.get(route) ?? needsOf(route) : checked);
    } catch (error) {
      return done(error as Error);
    }
    if ('admitted' in verdict) {
      if (!settle(verdict, request, reply)) done();
      return;
    }
    verdict.then((decided) => { if (!settle(decided, request, reply)) done(); }).catch((error: Error) => done(error));
  });
};

/**
 * Asks all routes of the instance that it is registered on for an access key, those of its children too, and also
 * paths that lead nowhere. `config: { latchkey: { public: true } }` lets a route out.
 */
export const latchkeyPlugin: FastifyPluginAsync<LatchkeyPluginOptions> = Object.assign(plugin, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@latchkey/node',
  [Symbol.for('plugin-meta')]: { fastify: '5.x', name: '@latchkey/node' },
});
