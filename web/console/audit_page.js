// Who did what, from where and why: the change log, newest first, a hundred at a time.
import { differenceList } from './differences.js';
import { timeOr } from './format.js';
import { Trail, differencesOf, rowOf, seqOf, subjectOf } from './history.js';
import { m } from './m.js';
import { here, refine } from './router.js';
import { Field, keyLink, problemBox, table } from './widgets.js';

export const subject = (change) => {
  if (change.key) return [keyLink(change.key), m('span.muted', ` of ${change.key.userId}`)];
  return m('code.cut', { title: subjectOf(change) }, subjectOf(change));
};

/** The actor, and what is known of the command's origin. */
export function who({ actor, remoteAddress, userAgent, databaseRole, application }) {
  const from = [databaseRole && `role ${databaseRole}`, application, remoteAddress].filter(Boolean).join(', ');
  return [actor, from && m('div.muted', { title: userAgent }, from)];
}

export const what = ({ action, reason }) => [action, reason && m('div', `“${reason}”`)];

const columns = [
  ['When', (change) => timeOr(change.at)],
  ['Who', who],
  ['What', what],
  ['On', subject],
  ['Before → after', (change) => differenceList(differencesOf(change))],
  ['Position', (change) => m('code', { title: change.position }, seqOf(change.position))],
];

const spans = [['', 'always'], ['1', 'the last day'], ['7', 'the last 7 days'], ['30', 'the last 30 days']];

function filtersOf({ actor, userId, keyId, days }) {
  return { actor, userId, keyId, since: days ? new Date(Date.now() - days * 86_400_000).toISOString() : undefined };
}

const holds = (text, change) => [change.actor, change.action, subjectOf(change), rowOf(change).userId, rowOf(change).name, change.reason]
  .some((word) => String(word ?? '').toLowerCase().includes(text));

export const AuditPage = {
  oninit({ state }) {
    Object.assign(state, { filter: '', seen: here.count, trail: new Trail(() => filtersOf(here.query)) });
  },
  onbeforeupdate({ state }) {
    if (state.seen !== here.count) {
      state.seen = here.count;
      state.trail.restart();
    }
    return true;
  },
  onremove({ state }) { state.trail.stop(); clearTimeout(state.typing); },
  view: ({ state }) => [
    m('h1', { tabindex: -1 }, 'Audit'),
    filterForm(state),
    problemBox(state.trail.loader.problem ?? state.trail.problem),
    state.trail.loader.data && list(state),
  ],
};

function filterForm(state) {
  const typed = (member) => (event) => { // asks once the typing rests
    const { value } = event.target;
    state[member] = value;
    state.typed = { ...state.typed, [member]: value.trim() }; // of two fields in a hurry neither is lost
    clearTimeout(state.typing);
    state.typing = setTimeout(() => { refine({ ...here.query, ...state.typed }); state.typed = {}; }, 250);
  };
  const text = (label, member) => m(Field, { label, type: 'search', value: state[member] ?? here.query[member] ?? '', oninput: typed(member) });
  return m('form.filters', { role: 'search', 'aria-label': 'Audit', onsubmit: (event) => event.preventDefault() }, [
    text('Who', 'actor'), text('User id', 'userId'), text('Key id', 'keyId'),
    m(Field, { label: 'When', control: 'select', options: spans, value: here.query.days ?? '', onchange: (event) => refine({ ...here.query, days: event.target.value }) }),
    m(Field, { label: `Among the ${state.trail.shown.length} shown`, type: 'search', value: state.filter, oninput: (event) => { state.filter = event.target.value; }, hint: 'Who, what, user, name, id or reason.' }),
  ]);
}

function list(state) {
  const { trail } = state;
  const rows = state.filter ? trail.shown.filter((change) => holds(state.filter.toLowerCase(), change)) : trail.shown;
  return [
    table({ caption: 'Changes, newest first', unseen: true, columns, rows, empty: 'No change is like that.' }),
    trail.tail?.more ? m('.buttons', m('button', { type: 'button', disabled: trail.busy || false, onclick: () => trail.further() }, 'There are older: show more'))
      : m('p.muted', 'That is the whole log.'),
  ];
}
