// A guarded application in a process of its own: node serve.mjs APP OPTIONS. Says `listening URL`; `/slow` answers late.
// SIGTERM ends it in order: requests in progress first, then Latchkey.
import { Latchkey } from '@latchkey/node';
import { start } from './apps.mjs';

const [, , name, options] = process.argv;
const latchkey = await Latchkey.open(JSON.parse(options));
const app = await start(name, latchkey);
process.once('SIGTERM', async () => {
  await app.close();
  await latchkey.close();
});
console.log(`listening ${app.url}`);
