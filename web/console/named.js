// Plans and users are rows under a name of the admin's: listed, made, changed and deleted in the same way.
import { call } from './api.js';
import { enforced } from './enforcement.js';
import { millis } from './format.js';
import { Loader } from './loader.js';
import { m } from './m.js';
import { problemBox, say } from './widgets.js';

const wait = { wait: 'enforced' };
// A user id may hold what a path may not.
const placeOf = (collection, name) => (collection === 'users' ? ['/v1/users', { ...wait, userId: name }] : [`/v1/${collection}/${encodeURIComponent(name)}`, wait]);
const etag = (row) => ({ 'If-Match': `"${row.position.split('.')[1]}"` });

/** PUT of a name that must be new. */
export async function make(collection, name, body) {
  const [path, query] = placeOf(collection, name);
  const { body: answer } = await call('PUT', path, { query, body, headers: { 'If-None-Match': '*' } });
  const { text, tone } = enforced('Created', answer.enforcement);
  say(text, tone);
}

export async function change(collection, name, row, body, done) {
  const [path, query] = placeOf(collection, name);
  const { body: answer } = await call('PATCH', path, { query, body, headers: etag(row) });
  const { text, tone } = enforced(done, answer.enforcement);
  say(text, tone);
}

export async function remove(collection, name, row) {
  const [path, query] = placeOf(collection, name);
  const began = performance.now();
  const { body } = await call('DELETE', path, { query, headers: etag(row) });
  const took = millis(Math.round(performance.now() - began));
  const { text, tone } = body?.enforcement ? enforced('Deleted', body.enforcement) : { text: `Deleted: enforced everywhere in ${took}.`, tone: 'good' };
  say(text, tone);
}

/** A page of the collection, with cursors. `state.rows` is a Loader; `state.cursors` the pages behind. */
export function pages(state, collection) {
  state.cursors = [];
  state.rows = new Loader(async (signal) => (await call('GET', `/v1/${collection}`, { signal, query: { limit: 50, cursor: state.cursors.at(-1) } })).body);
}

export function pager(state, what) {
  const next = state.rows.data?.nextCursor;
  const turn = (step) => { step(); state.rows.load(); };
  return [problemBox(state.rows.problem), (next || state.cursors.length > 0) && m('nav.pages', { 'aria-label': `Pages of ${what}` }, [
    m('button', { type: 'button', disabled: state.cursors.length === 0, onclick: () => turn(() => state.cursors.pop()) }, 'Previous'),
    m('button', { type: 'button', disabled: !next, onclick: () => turn(() => state.cursors.push(next)) }, 'Next'),
  ])];
}
