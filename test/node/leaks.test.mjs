// LeakSanitizer over a whole process, with LATCHKEY_LONG=1: an addon needs no other build for it, only malloc is replaced.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Stack } from './harness.mjs';

const child = new URL('./child.mjs', import.meta.url).pathname;

describe('no memory is lost', { skip: process.env.LATCHKEY_LONG !== '1' }, () => {
  let stack, library;
  before(async () => {
    library = execFileSync('g++', ['-print-file-name=liblsan.so'], { encoding: 'utf8' }).trim();
    stack = await Stack.start();
  });
  after(() => stack.stop());

  for (const mode of ['again', 'workers', 'close', 'forget']) {
    test(`of a process that does: ${mode}`, async () => {
      const { accessKey } = await stack.newKey(50);
      const env = { ...process.env, LD_PRELOAD: library, LSAN_OPTIONS: 'exitcode=23:fast_unwind_on_malloc=0:malloc_context_size=12' };
      const words = [child, mode, JSON.stringify(stack.nativeOptions()), mode === 'again' ? '100' : accessKey];
      const one = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
      let told = '';
      one.stderr.on('data', (text) => { told += text; });
      const [code] = await once(one, 'exit');
      const ours = told.split('\n\n').filter((block) => /leak of/.test(block) && block.includes('latchkey.node'));
      assert.deepEqual(ours, []);
      assert.ok(code === 0 || (code === 23 && told.includes('LeakSanitizer')), told);  // what Node loses is its own
    });
  }
});
