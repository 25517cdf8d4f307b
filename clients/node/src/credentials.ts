/** How an access key came: by itself, or as the value of a header. The numbers are the addon's. */
export const enum Kind {
  token = 0,
  authorization = 1,
  apiKey = 2,
}

/** The one header line that has a key; or all that could have one, for the engine to judge. */
export type Presented = { readonly kind: Kind; readonly value: string } | readonly string[];

function kindOf(name: string): Kind | undefined {
  if (name.length !== 13 && name.length !== 9) return undefined;
  const lower = name.toLowerCase();
  return lower === 'authorization' ? Kind.authorization : lower === 'x-api-key' ? Kind.apiKey : undefined;
}

/**
 * From the raw header lines: `headers` has only the first of two Authorization lines, and two X-API-Key as one.
 */
export function presentedBy(request: { readonly rawHeaders: readonly string[] }): Presented {
  const raw = request.rawHeaders;
  let kind: Kind | undefined;
  let value = '';
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const found = kindOf(raw[i]!);
    if (found === undefined) continue;
    if (kind !== undefined) return credentialLines(raw);
    kind = found;
    value = raw[i + 1]!;
  }
  return kind === undefined ? [] : { kind, value };
}

function credentialLines(raw: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) if (kindOf(raw[i]!) !== undefined) lines.push(raw[i]!, raw[i + 1]!);
  return lines;
}

/** For requests that are known by a record of headers only, such as a WebSocket's handshake. */
export function linesIn(headers: Record<string, string | string[] | undefined>): string[] {
  const rawHeaders: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : value === undefined ? [] : [value]) rawHeaders.push(name, one);
  }
  return rawHeaders;
}
