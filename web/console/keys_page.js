// All keys: search and filter at the service, a page at a time. What is asked stands in the fragment.
import { call, session } from './api.js';
import { timeOr } from './format.js';
import { CreateKey } from './key_dialogs.js';
import { limitList } from './limits.js';
import { Loader } from './loader.js';
import { m } from './m.js';
import { here, refine } from './router.js';
import { Field, badge, keyLink, problemBox, table, userLink } from './widgets.js';

const pageSize = 50;
const statuses = [['', 'any'], ['active', 'active'], ['disabled', 'disabled'], ['expired', 'expired'], ['deleted', 'deleted']];
const orders = [['', 'newest first'], ['oldest', 'oldest first']];

const columns = [
  ['Key', keyLink],
  ['User', (key) => userLink(key.userId)],
  ['Status', (key) => badge(key.status)],
  ['Plan', (key) => key.effective.plan ?? '–'],
  ['Limits', (key) => limitList(key.effective.limits)],
  ['Expires', (key) => timeOr(key.expiresAt, 'never')],
  ['Last used', (key) => timeOr(key.lastUsedAt, '–')],
  ['Created', (key) => timeOr(key.createdAt)],
];

const expiries = { never: 'never expire', week: 'expire within 7 days', unused: 'unused for 90 days' };

/** The filter as the API takes it. */
export function queryOf({ name, userId, selector, status, order, expiry }) {
  const query = { name, userId, selector, status: status || (expiry && 'active'), order };
  if (expiry === 'unused') query.unusedFor = '90d';
  if (expiry === 'never') query.expires = 'never';
  if (expiry === 'week') query.expiresBefore = new Date(Date.now() + 7 * 86_400_000).toISOString();
  return query;
}

export const KeysPage = {
  oninit({ state }) {
    Object.assign(state, { cursors: [], seen: here.count, visits: here.visits });
    state.loader = new Loader(async (signal) =>
      (await call('GET', '/v1/keys', { signal, query: { ...queryOf(here.query), limit: pageSize, cursor: state.cursors.at(-1) } })).body,
    (change) => change.key !== undefined);
  },
  onremove({ state }) { state.loader.stop(); clearTimeout(state.typing); },
  onbeforeupdate({ state }) { // another filter: from the first page
    if (state.seen !== here.count) {
      Object.assign(state, { seen: here.count, cursors: [] });
      state.loader.load();
    }
    if (state.visits !== here.visits) Object.assign(state, { visits: here.visits, name: undefined, userId: undefined, selector: undefined });
    return true;
  },
  view: ({ state }) => [
    m('.page-head', [
      m('h1', { tabindex: -1 }, 'Keys'),
      session.mayWrite && m('button.primary', { type: 'button', onclick: () => { state.creating = true; } }, 'New key'),
    ]),
    filterForm(state),
    problemBox(state.loader.problem),
    state.loader.data && list(state),
    state.creating && m(CreateKey, { onclose: () => { state.creating = false; state.loader.load(); } }),
  ],
};

function filterForm(state) {
  const ask = (more) => refine({ ...here.query, ...more });
  const typed = (member) => (event) => { // asks once the typing rests
    const { value } = event.target;
    state.typed = { ...state.typed, [member]: value.trim() }; // of two fields in a hurry neither is lost
    clearTimeout(state.typing);
    state.typing = setTimeout(() => { ask(state.typed); state.typed = {}; }, 250);
  };
  const chosen = (member) => (event) => ask({ [member]: event.target.value });
  return m('form.filters', { role: 'search', 'aria-label': 'Keys', onsubmit: (event) => event.preventDefault() }, [
    m(Field, { label: 'Name contains', type: 'search', value: state.name ?? here.query.name ?? '', oninput: (event) => { state.name = event.target.value; typed('name')(event); } }),
    m(Field, { label: 'User id', type: 'search', value: state.userId ?? here.query.userId ?? '', oninput: (event) => { state.userId = event.target.value; typed('userId')(event); } }),
    m(Field, { label: 'Labels', type: 'search', value: state.selector ?? here.query.selector ?? '', placeholder: 'team=x, env!=prod', oninput: (event) => { state.selector = event.target.value; typed('selector')(event); } }),
    m(Field, { label: 'Status', control: 'select', options: statuses, value: here.query.status ?? '', onchange: chosen('status') }),
    m(Field, { label: 'At risk', control: 'select', options: [['', 'any'], ...Object.entries(expiries)], value: here.query.expiry ?? '', onchange: chosen('expiry') }),
    m(Field, { label: 'Sorted', control: 'select', options: orders, value: here.query.order ?? '', onchange: chosen('order') }),
  ]);
}

function list(state) {
  const { keys, nextCursor } = state.loader.data;
  const filtered = Object.values(here.query).some(Boolean);
  const page = state.cursors.length + 1;
  const turn = (change) => { change(); state.loader.load(); };
  return [
    table({ caption: `Access keys, page ${page}`, unseen: true, columns, rows: keys, empty: filtered ? 'No key is like that.' : 'There is no key yet.' }),
    (page > 1 || nextCursor) && m('nav.pages', { 'aria-label': 'Pages of keys' }, [
      m('button', { type: 'button', disabled: page === 1, onclick: () => turn(() => state.cursors.pop()) }, 'Previous'),
      m('span', `Page ${page}`),
      m('button', { type: 'button', disabled: !nextCursor, onclick: () => turn(() => state.cursors.push(nextCursor)) }, 'Next'),
    ]),
  ];
}
