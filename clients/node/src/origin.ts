import type { IncomingMessage } from 'node:http';

/** Who asks: a request, or what is known of one. Looked at only where a key is bound to networks, or a service is asked. */
export interface Asker {
  readonly rawHeaders: readonly string[];
  readonly socket?: Pick<IncomingMessage['socket'], 'remoteAddress'>;
  /** In the place of a socket's. */
  readonly address?: string | undefined;
}

export interface Origin {
  /** The address at the other end of the connection; `unix`: that is a Unix socket; `unknown`. */
  readonly peer: string;
  /** The values of X-Forwarded-For, which the client may have made up. */
  readonly forwardedFor: readonly string[];
}

export const nobody: Asker = { rawHeaders: [] };

// A TCP connection that is gone has no address either, so the server says what it listens at.
function peerOf({ address, socket }: Asker): string {
  const known = address ?? socket?.remoteAddress;
  if (known !== undefined) return known;
  const { server } = (socket ?? {}) as { server?: { address?(): unknown } };
  return typeof server?.address?.() === 'string' ? 'unix' : 'unknown';
}

export function originOf(asker: Asker): Origin {
  const raw = asker.rawHeaders;
  const forwardedFor: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]!.length === 15 && raw[i]!.toLowerCase() === 'x-forwarded-for') forwardedFor.push(raw[i + 1]!);
  }
  return { peer: peerOf(asker), forwardedFor };
}
