// What this service can do, by its own description: a page or part for which it has no route is not offered.
import { redraw } from './m.js';

let paths;

export const has = (path) => paths?.has(path) ?? false;

export async function learn() {
  try {
    const answer = await fetch('/openapi.json', { credentials: 'omit', redirect: 'error' });
    paths = new Set(Object.keys((await answer.json()).paths));
  } catch {
    return; // nothing optional is shown
  }
  redraw();
}
