import { createParamDecorator, SetMetadata, type CustomDecorator, type ExecutionContext } from '@nestjs/common';
import { checkNeeds } from '@latchkey/node';
import { exchangeOf } from './exchange';

export const publicKey = 'latchkey:public';
export const scopesKey = 'latchkey:scopes';
export const costKey = 'latchkey:cost';
export const ruleKey = 'latchkey:rule';

/** On a handler or a class: no access key is asked for, and none is looked at. */
export const Public = (): CustomDecorator => SetMetadata(publicKey, true);

/** On a handler or a class: scopes that the access key must have, all of them. With the http engine they want `@Rule()` too. */
export function Scopes(...scopes: string[]): CustomDecorator {
  checkNeeds({ scopes });
  return SetMetadata(scopesKey, scopes);
}

/** On a handler or a class: how many units of each limit a request takes. With the http engine it wants `@Rule()` too. */
export function Cost(cost: number): CustomDecorator {
  checkNeeds({ cost });
  return SetMetadata(costKey, cost);
}

/** On a handler or a class: the rule of the service that says the same, for the http engine. */
export function Rule(rule: string): CustomDecorator {
  checkNeeds({ rule });
  return SetMetadata(ruleKey, rule);
}

/** A parameter: whose request it is, or one member of that, as in `@AccessKey('userId')`. null on public routes. */
export const AccessKey = createParamDecorator((member: 'keyId' | 'userId' | 'requestsPerMinute' | undefined, context: ExecutionContext) => {
  const key = exchangeOf(context)?.request.accessKey ?? null;
  return member === undefined ? key : (key?.[member] ?? null);
});
