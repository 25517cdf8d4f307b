// Bun and Deno: what clients/node/README.md says that they can. LATCHKEY_RUNTIMES: {"bun": its path, "deno": its path}.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Stack } from './harness.mjs';
import { forged } from './tokens.mjs';

const runtimes = JSON.parse(process.env.LATCHKEY_RUNTIMES ?? '{}');
const words = { bun: [], deno: ['run', '--allow-all'], node: [] };
const all = ['engine', 'node', 'express', 'fastify', 'nestExpress', 'nestFastify'];

for (const engine of ['native', 'http']) {
  describe(`engine ${engine} elsewhere than in Node`, () => {
    let stack;
    before(async () => { stack = await Stack.start({ tokens: engine === 'http' }); });
    after(() => stack.stop());

    for (const [name, program] of Object.entries(runtimes)) {
      test(name, async () => {
        const [limited, open, disabled] = [await stack.newKey(5), await stack.newKey(), await stack.newKey()];
        await stack.management.disableKey(disabled.key.keyId, { wait: '60s' });
        const tokens = { limited: limited.accessKey, open: open.accessKey, disabled: disabled.accessKey, forged: forged(open.accessKey) };
        const file = fileURLToPath(new URL('./portable.mjs', import.meta.url));
        const child = spawn(program, [...words[name], file, JSON.stringify(stack.optionsOf(engine)), JSON.stringify(tokens)], { stdio: ['ignore', 'pipe', 'pipe'] });
        let told = '', errors = '';
        child.stdout.on('data', (text) => { told += text; });
        child.stderr.on('data', (text) => { errors += text; });
        const [code, signal] = await once(child, 'exit');
        const expected = [...all, ...(engine === 'native' ? ['worker thread'] : [])].map((part) => `${part} ok`);
        assert.deepEqual(told.trim().split('\n'), [...expected, 'done'], errors);
        assert.deepEqual([code, signal], [0, null], errors);
      });
    }
  });
}
