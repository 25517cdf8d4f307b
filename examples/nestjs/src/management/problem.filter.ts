import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { LatchkeyApiError } from '@latchkey/management';
import type { ServerResponse } from 'node:http';

/** Latchkey's refusals are ours. */
@Catch(LatchkeyApiError)
export class ProblemFilter implements ExceptionFilter<LatchkeyApiError> {
  catch(error: LatchkeyApiError, host: ArgumentsHost): void {
    if (!error.problem) throw new HttpException('Access Key Management gave no answer', 502);
    const response = host.switchToHttp().getResponse<ServerResponse>();
    response.statusCode = error.status;
    response.setHeader('Content-Type', 'application/problem+json');
    response.end(JSON.stringify(error.problem));
  }
}
