import { LatchkeyError } from './error';

/** The functions of latchkey.node; addon/module.cpp says what each does. */
export interface Addon {
  check(handle: number, kind: number, value: string, cost: number): number;
  checkAsked(handle: number, kind: number, value: string, cost: number, scopes: readonly string[], peer: string, forwardedFor: readonly string[]): number;
  checkLater(
    handle: number, kind: number, value: string, cost: number, scopes: readonly string[], peer: string, forwardedFor: readonly string[],
    done: (code: number) => void,
  ): void;
  text(): string;
  credential(lines: readonly string[]): number;
  open(settings: readonly string[]): Promise<number>;
  close(handle: number): Promise<void>;
  closeAll(): void;
  state(handle: number): { state: 'ready' | 'loading' | 'unregistered' | 'stale'; position: string; ageMillis: number; keys: number };
  refusals(): { reason: string; status: number; headerLines: string; body: string }[];
  cryptoLibrary(): string;
  details(): ArrayBuffer;
  readonly version: string;
}

let loaded: Addon | undefined;

function hintOn(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_DLOPEN_DISABLED') return ' (node --permission wants --allow-addons)';
  if (/lib(pq|cctz)\.so/.test(message)) return ' (Debian: apt-get install libpq5 libcctz2 tzdata)';
  return '';
}

/** Loads latchkey.node once an environment. Throws a LatchkeyError that says what is missing. */
export function loadAddon(): Addon {
  if (loaded) return loaded;
  const name = `@latchkey/node-${process.platform}-${process.arch}`;
  let file: string;
  try {
    file = require.resolve(`${name}/latchkey.node`);
  } catch (error) {
    throw new LatchkeyError(
      'LATCHKEY_UNAVAILABLE',
      `the package ${name} is not installed, which has the native engine for this platform. npm installs it with @latchkey/node ` +
        "where there is one and optional packages are not left out; `./dev node` in Latchkey's repository builds it. Or set engine: 'http'",
      { cause: error },
    );
  }
  try {
    loaded = require(file) as Addon;
  } catch (error) {
    throw new LatchkeyError('LATCHKEY_UNAVAILABLE', `cannot load ${file}: ${(error as Error).message}${hintOn(error)}`, { cause: error });
  }
  return loaded;
}
