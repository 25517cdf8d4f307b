// Users that an admin has made a row for: a plan or limits for all their keys, and one switch that refuses all of them.
import { call, session } from './api.js';
import { timeOr } from './format.js';
import { LimitFields, limitList, limitRows, limitsOf } from './limits.js';
import { Loader } from './loader.js';
import { m, redraw } from './m.js';
import { change, make, pager, pages, remove } from './named.js';
import { here, href } from './router.js';
import { Field, FormDialog, badge, fact, keyLink, problemBox, say, table, userLink } from './widgets.js';

const UserDialog = {
  oninit({ state, attrs: { user, userId = '' } }) {
    state.user = user;
    state.form = { userId: user?.userId ?? userId, plan: user?.plan ?? '', rows: limitRows(user?.limits) };
  },
  view: ({ attrs: { onclose }, state: { user, form } }) => m(FormDialog, {
    title: user ? `Edit the user ${user.userId}` : 'New user', action: user ? 'Save' : 'Create', onclose,
    send: async () => {
      const body = { plan: form.plan || null, limits: limitsOf(form.rows) };
      await (user ? change('users', user.userId, user, body, 'Saved') : make('users', form.userId, body));
      onclose();
    },
    fields: () => [
      !user && m(Field, { label: 'User id', required: true, maxlength: 128, value: form.userId, oninput: (event) => { form.userId = event.target.value; } }),
      m(Field, { label: 'Plan', value: form.plan, oninput: (event) => { form.plan = event.target.value; }, hint: 'Holds for each key of the user that names none itself. Empty: no plan.' }),
      m(LimitFields, { rows: form.rows }),
    ],
  }),
};

const DeleteUser = {
  oninit({ state }) { state.typed = ''; },
  view: ({ attrs: { user, onclose }, state }) => m(FormDialog, {
    title: 'Delete the user', action: 'Delete', danger: true, onclose, blocked: () => state.typed !== user.userId,
    send: async () => { await remove('users', user.userId, user); onclose(); },
    fields: () => [
      m('p', 'The row goes, with its plan and limits. The keys of the user stay.'),
      m(Field, { label: `Type ${user.userId} to go on`, value: state.typed, oninput: (event) => { state.typed = event.target.value; } }),
    ],
  }),
};

async function toggle(state, user) {
  state.working = true;
  try {
    await change('users', user.userId, user, { disabled: !user.disabled }, user.disabled ? 'Enabled' : 'Disabled');
  } catch (problem) {
    say(`${problem.message}. ${problem.detail ?? ''}`, 'bad');
  }
  state.working = false;
  await (state.rows ?? state.user).load();
  redraw();
}

const buttons = (state, user, unseen) => [
  m('button', { type: 'button', onclick: () => { state.dialog = [UserDialog, user]; } }, 'Edit', unseen),
  m('button', { type: 'button', disabled: state.working || false, onclick: () => toggle(state, user) }, user.disabled ? 'Enable' : 'Disable', unseen),
  m('button.danger', { type: 'button', onclick: () => { state.dialog = [DeleteUser, user]; } }, 'Delete', unseen),
];

const columns = (state) => [
  ['User', (user) => userLink(user.userId)],
  ['Status', (user) => badge(user.disabled ? 'disabled' : 'active')],
  ['Plan', (user) => user.plan ?? 'none'],
  ['Limits', (user) => limitList(user.limits)],
  ['Last changed', (user) => [timeOr(user.updatedAt), ` by ${user.updatedBy}`]],
  ...(session.mayWrite ? [['Actions', (user) => m('.actions', buttons(state, user, m('span.unseen', ` ${user.userId}`)))]] : []),
];

export const UsersPage = {
  oninit({ state }) { pages(state, 'users'); },
  onremove({ state }) { state.rows.stop(); },
  view: ({ state }) => [
    m('.page-head', [m('h1', { tabindex: -1 }, 'Users'), session.mayWrite && m('button.primary', { type: 'button', onclick: () => { state.dialog = [UserDialog]; } }, 'New user')]),
    state.rows.data && table({ caption: 'Users', unseen: true, columns: columns(state), rows: state.rows.data.users, empty: 'No user has a row. A key needs none.' }),
    pager(state, 'users'),
    state.dialog && m(state.dialog[0], { user: state.dialog[1], onclose: () => { state.dialog = undefined; state.rows.load(); } }),
  ],
};

// A user has a row only once an admin made one.
async function readUser(userId, signal) {
  try {
    return (await call('GET', '/v1/users', { signal, query: { userId } })).body;
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}

const most = 20; // keys shown; the link leads to all

export const UserPage = {
  oninit({ state }) {
    const [, userId] = here.parts;
    state.user = new Loader((signal) => readUser(userId, signal), (change) => change.user?.userId === userId);
    state.keys = new Loader(async (signal) => (await call('GET', '/v1/keys', { signal, query: { userId, limit: most } })).body, (change) => change.key?.userId === userId);
  },
  onremove({ state }) { state.user.stop(); state.keys.stop(); },
  view: ({ state }) => {
    const [, userId] = here.parts;
    const { data: user, problem } = state.user;
    return [
      m('p.back', m('a', { href: href(['users']) }, 'All users')),
      m('.page-head', m('h1', { tabindex: -1 }, userId), user && badge(user.disabled ? 'disabled' : 'active')),
      problemBox(problem),
      user === null && m('p', 'No row: each key has what it and its plan say.'),
      user && m('dl.facts', [
        fact('Plan', user.plan ?? 'none'),
        fact('Limits', limitList(user.limits)),
        fact('Last changed', [timeOr(user.updatedAt), ' by ', m('span', user.updatedBy)]),
      ]),
      session.mayWrite && user !== undefined && m('.actions', { role: 'group', 'aria-label': 'What can be done' }, user ? buttons(state, user)
        : m('button', { type: 'button', onclick: () => { state.dialog = [UserDialog, undefined, userId]; } }, 'Make a row')),
      m('section', { 'aria-labelledby': 'keys' }, [m('h2#keys', 'Keys'), problemBox(state.keys.problem), state.keys.data && keysOf(userId, state.keys.data)]),
      state.dialog && m(state.dialog[0], { user: state.dialog[1], userId: state.dialog[2], onclose: () => { state.dialog = undefined; state.user.load(); } }),
    ];
  },
};

const keysOf = (userId, { keys, nextCursor }) => [
  table({
    caption: 'Keys of this user', unseen: true, rows: keys, empty: 'This user has no key.',
    columns: [
      ['Key', keyLink], ['Status', (key) => badge(key.status)], ['Limits', (key) => limitList(key.effective.limits)],
      ['Expires', (key) => timeOr(key.expiresAt, 'never')], ['Created', (key) => timeOr(key.createdAt)],
    ],
  }),
  nextCursor && m('p', m('a', { href: href(['keys'], { userId }) }, 'All keys of this user')),
];
