// The programs of the packages' READMEs, run as a newcomer would.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { ask, eventually, Stack } from './harness.mjs';

const source = process.env.LATCHKEY_SOURCE;
const require = createRequire(import.meta.url);

function programs(name) {
  const text = readFileSync(`${source}/clients/${name}/README.md`, 'utf8');
  return [...text.matchAll(/^```(js|ts)\n([\s\S]*?)^```/gm)].map(([, language, code]) => ({ language, code }));
}

/** Decorators and types are TypeScript's: as tsc makes JavaScript of it. */
function toJavaScript({ language, code }) {
  if (language === 'js') return code;
  const ts = require(`${source}/clients/node_modules/typescript`);
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, experimentalDecorators: true, emitDecoratorMetadata: true };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

describe('README', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack.stop());

  /** Runs until `use` is done with it, in the folder that has latchkey-data. */
  async function running(program, environment, use) {
    const file = new URL(`./readme-${process.pid}-${Math.random().toString(36).slice(2)}.mjs`, import.meta.url).pathname;
    writeFileSync(file, toJavaScript(program));
    const child = spawn(process.execPath, [file], { cwd: stack.folder, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', errors = '';
    child.stdout.on('data', (text) => { out += text; });
    child.stderr.on('data', (text) => { errors += text; });
    const ended = once(child, 'exit').then(([code]) => ({ code, out, errors }));
    try {
      await use(ended);
    } finally {
      child.kill();
      await ended;
      if (existsSync(file)) rmSync(file);
    }
  }

  for (const name of ['node', 'nestjs']) {
    programs(name).forEach((program, number) => {
      test(`${name}, program ${number + 1}: refused, admitted, limited`, async () => {
        const port = await freePort();
        await running(program, { PORT: String(port) }, async (ended) => {
          const url = `http://localhost:${port}`;
          let over;
          ended.then((how) => { over = how; });
          await eventually(() => {
            if (over) throw new Error(`ended with ${over.code}: ${over.errors}`);
            return fetch(url).then(() => true, () => false);
          }, url);
          const refused = await ask(url);
          assert.equal(refused.status, 401);
          assert.equal(JSON.parse(refused.body).type, '/problems/no-credentials');
          const { accessKey } = await stack.newKey(3);
          const answers = [];
          for (let i = 0; i < 4; ++i) answers.push(await ask(url, ['X-API-Key', accessKey]));
          assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 429]);
          assert.deepEqual(JSON.parse(answers[0].body), { hello: 'alice' });
        });
      });
    });
  }

  test('management', async () => {
    const [program] = programs('management');
    const environment = { LATCHKEY_URL: stack.keys.url, LATCHKEY_ADMIN_TOKEN: stack.adminToken };
    await running(program, environment, async (ended) => {
      const { code, out, errors } = await ended;
      assert.equal(code, 0, errors);
      assert.match(out, /show this once: eyJ/);
      assert.match(out, /confirmed\n404 \/problems\//);
    });
  });
});
