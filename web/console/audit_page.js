// Who did what: the change log, newest first, a hundred at a time.
import { differenceList } from './differences.js';
import { timeOr } from './format.js';
import { changesUpTo, rowOf, seqOf, subjectOf, withDifferences } from './history.js';
import { Loader } from './loader.js';
import { m, redraw } from './m.js';
import { Field, keyLink, problemBox, table } from './widgets.js';

const pageSize = 100;

export const subject = (change) => {
  if (change.key) return [keyLink(change.key), m('span.muted', ` of ${change.key.userId}`)];
  return m('code.cut', { title: subjectOf(change) }, subjectOf(change));
};

const columns = [
  ['When', ({ change }) => timeOr(change.at)],
  ['Who', ({ change }) => change.actor],
  ['What', ({ change }) => change.action],
  ['On', ({ change }) => subject(change)],
  ['Before → after', ({ differences }) => differenceList(differences)],
  ['Position', ({ change }) => m('code', { title: change.position }, seqOf(change.position))],
];

async function further(state) {
  state.busy = true;
  try {
    const { changes, next } = await changesUpTo(state.loader.data.next, pageSize);
    state.older.push(...changes);
    state.loader.data.next = next;
  } catch (problem) {
    state.problem = problem;
  }
  state.busy = false;
  redraw();
}

const holds = (text, { change }) => [change.actor, change.action, subjectOf(change), rowOf(change).userId, rowOf(change).name]
  .some((word) => String(word ?? '').toLowerCase().includes(text));

export const AuditPage = {
  oninit({ state }) {
    Object.assign(state, { older: [], filter: '' });
    state.loader = new Loader(async () => {
      const newest = await changesUpTo(undefined, pageSize);
      const last = newest.changes.at(-1);
      // What was shown stays, where the new page reaches it.
      const shown = [...(state.loader?.data?.changes ?? []), ...state.older];
      const rest = last ? shown.filter((change) => seqOf(change.position) < seqOf(last.position)) : [];
      const joined = rest.length > 0 && seqOf(rest[0].position) === seqOf(last.position) - 1;
      state.older = joined ? rest : [];
      return joined ? { ...newest, next: seqOf(rest.at(-1).position) - 1 } : newest;
    });
  },
  onremove({ state }) { state.loader.stop(); },
  view: ({ state }) => [
    m('h1', { tabindex: -1 }, 'Audit'),
    problemBox(state.loader.problem ?? state.problem),
    state.loader.data && list(state),
  ],
};

function list(state) {
  const { changes, next } = state.loader.data;
  const all = withDifferences([...changes, ...state.older]);
  const rows = state.filter ? all.filter((entry) => holds(state.filter.toLowerCase(), entry)) : all;
  return [
    m('form.filters', { role: 'search', 'aria-label': 'Audit', onsubmit: (event) => event.preventDefault() },
      m(Field, { label: `Among the ${all.length} shown`, type: 'search', value: state.filter, oninput: (event) => { state.filter = event.target.value; }, hint: 'Who, what, user, name or id.' })),
    table({ caption: 'Changes, newest first', unseen: true, columns, rows, empty: 'No change is like that.' }),
    next > 0 && m('.buttons', m('button', { type: 'button', disabled: state.busy || false, onclick: () => further(state) },
      `${next.toLocaleString()} older: show more`)),
    next === 0 && m('p.muted', 'That is the whole log.'),
  ];
}
