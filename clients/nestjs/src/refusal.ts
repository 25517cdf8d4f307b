import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { problemType, type Refused } from '@latchkey/node';

/** What the guard throws. An HttpException whose response is the problem document, for filters of yours. */
export class AccessRefused extends HttpException {
  constructor(readonly refused: Refused) {
    super({ ...refused.problem }, refused.status, { description: refused.problem.title });
    this.message = refused.problem.detail;
  }

  /** GraphQL's way to tell a code. */
  get extensions(): { code: string; problem: Refused['problem'] } {
    return { code: this.refused.reason.toUpperCase().replaceAll('-', '_'), problem: this.refused.problem };
  }
}

/** Where such a context has its exceptions: packages that an application need not have. */
const exceptions: Record<string, readonly [module: string, name: string] | undefined> = {
  ws: ['@nestjs/websockets', 'WsException'],
  rpc: ['@nestjs/microservices', 'RpcException'],
};

/**
 * What to throw in a context of this type. WebSockets and microservices hand on the words of their own exceptions only,
 * and no header, so theirs has it all in its text.
 */
export function refusalIn(type: string, refused: Refused): Error {
  const exception = new AccessRefused(refused);
  const known = exceptions[type];
  if (!known) return exception;
  const [module, name] = known;
  const made = (require(module) as Record<string, new (error: object) => Error>)[name]!;
  const wait = refused.headers.find(([header]) => header === 'Retry-After');
  return new made({
    status: 'error', message: refused.problem.detail, ...exception.extensions, ...(wait ? { retryAfter: Number(wait[1]) } : {}),
  });
}

interface RawResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}
interface FastifyLike {
  code(status: number): FastifyLike;
  type(type: string): FastifyLike;
  send(body: Buffer): unknown;
}

/**
 * Answers with the problem document as the service has it. Nest's own filter cannot: on Express, Nest 11 replaces the
 * Content-Type of an object by application/json.
 */
@Catch(AccessRefused)
export class AccessRefusedFilter implements ExceptionFilter<AccessRefused> {
  catch(exception: AccessRefused, host: ArgumentsHost): unknown {
    if (host.getType<string>() !== 'http') throw exception;
    const { status, body } = exception.refused;
    const response = host.switchToHttp().getResponse<RawResponse | FastifyLike>();
    if ('code' in response) return response.code(status).type(problemType).send(Buffer.from(body));  // to a string it adds a charset
    response.statusCode = status;
    response.setHeader('Content-Type', problemType);
    response.end(body);
    return undefined;
  }
}
