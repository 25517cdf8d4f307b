import type { ExecutionContext } from '@nestjs/common';
import type { Latchkey, LatchkeyOptions } from '@latchkey/node';

export interface LatchkeyModuleOptions extends LatchkeyOptions {
  /** An open Latchkey to use instead of opening one by the other options. Whoever opened it closes it. */
  latchkey?: Latchkey;
  /**
   * Where the headers of a request are in a context other than HTTP, GraphQL over HTTP and socket.io, for which that
   * is known. Without it such a context is refused.
   */
  headersOf?: (context: ExecutionContext) => Record<string, string | string[] | undefined>;
}
