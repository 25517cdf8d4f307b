import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LatchkeyError } from './error';

/** The functions of latchkey.node; addon/module.cpp says what each does. */
export interface Addon {
  check(handle: number, kind: number, value: string): number;
  checkLater(handle: number, kind: number, value: string, done: (code: number) => void): void;
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

function places(): string[] {
  const platform = `${process.platform}-${process.arch}`;
  const found = [join(__dirname, '..', 'prebuilt', platform, 'latchkey.node')];
  try {
    found.push(require.resolve(`@latchkey/node-${platform}/latchkey.node`));
  } catch {
    // No package for this platform: only what was built from source is left.
  }
  return found;
}

let loaded: Addon | undefined;

/** Loads latchkey.node once an environment. Throws a LatchkeyError that says where it was looked for. */
export function loadAddon(): Addon {
  if (loaded) return loaded;
  const tried = places();
  const file = tried.find((place) => existsSync(place));
  if (file === undefined) {
    throw new LatchkeyError(
      'LATCHKEY_UNAVAILABLE',
      `there is no latchkey.node for ${process.platform}-${process.arch}; looked at ${tried.join(', ')}. ` +
        "Build it with `./dev node` in Latchkey's repository, or set engine: 'http'",
    );
  }
  try {
    loaded = require(file) as Addon;
  } catch (error) {
    const hint = (error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED' ? ' (node --permission wants --allow-addons)' : '';
    throw new LatchkeyError('LATCHKEY_UNAVAILABLE', `cannot load ${file}: ${(error as Error).message}${hint}`, { cause: error });
  }
  return loaded;
}
