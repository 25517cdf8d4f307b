// Two generators more: what they make of our documents must compile as it is. node generate.mjs REPOSITORY
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const source = process.argv[2];
const bin = (name) => `node_modules/.bin/${name}`;
const run = (command, ...args) => execFileSync(command, args, { stdio: 'inherit' });

for (const service of ['keys_service', 'tokens_service']) {
  const document = `${source}/src/${service}/openapi.json`;
  run(bin('openapi-ts'), '-i', document, '-o', `out/hey/${service}`, '-c', '@hey-api/client-fetch');
  run(bin('orval'), '--input', document, '--output', `out/orval/${service}.ts`, '--client', 'fetch');
}
writeFileSync('tsconfig.json', JSON.stringify({
  compilerOptions: { strict: true, noEmit: true, target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom', 'dom.iterable'], types: [] },
  include: ['out'],
}));
run(bin('tsc'), '-p', '.');
console.log('clients of two generators compile');
