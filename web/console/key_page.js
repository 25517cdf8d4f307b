// One key: what it may, how it stands, what became of it, and what can be done about it.
import { call, session } from './api.js';
import { what, who } from './audit_page.js';
import { differenceList } from './differences.js';
import { labelsText, listWords } from './bounds.js';
import { enforced } from './enforcement.js';
import { countdown, time, timeOr } from './format.js';
import { Trail, differencesOf, seqOf } from './history.js';
import { DeleteKey, EditKey, RotateKey, update } from './key_dialogs.js';
import { limitList } from './limits.js';
import { Loader } from './loader.js';
import { m } from './m.js';
import { here, href } from './router.js';
import { Usage } from './usage.js';
import { badge, fact, problemBox, say, table, userLink } from './widgets.js';

export const KeyPage = {
  oninit({ state }) {
    const [, keyId] = here.parts;
    state.usage = new Usage('minute', { keyId });
    const mine = (change) => change.key?.keyId === keyId;
    state.loader = new Loader(async (signal) => (await call('GET', `/v1/keys/${encodeURIComponent(keyId)}`, { signal })).body, mine);
    state.history = new Trail(() => ({ keyId }), mine);
  },
  onremove({ state }) { [state.loader, state.history, state.usage].forEach((each) => each.stop()); },
  view: ({ state }) => {
    const { data: key, problem } = state.loader;
    return [
      m('p.back', m('a', { href: href(['keys']) }, 'All keys')),
      m('.page-head', m('h1', { tabindex: -1 }, key ? key.name || 'Access key' : 'Access key'), key && badge(key.status)),
      problemBox(problem),
      key && [facts(key), session.mayWrite && key.status !== 'deleted' && actions(state, key), state.usage.view(key.requestsPerMinute ?? undefined), history(state.history), dialogs(state, key)],
    ];
  },
};

function facts(key) {
  const grace = key.previousValidUntil && countdown(key.previousValidUntil);
  return m('dl.facts', [
    fact('Key id', m('code', key.keyId)),
    fact('User', [userLink(key.userId), key.effective.userDisabled && m('strong.bad', ', disabled: refuses every key')]),
    fact('Plan', key.effective.plan ?? 'none'),
    fact('Limits in force', limitList(key.effective.limits, key.limits ? 'unlimited' : 'none: refused')),
    fact('Scopes', listWords(key.effective.scopes, 'every scope')),
    fact('Networks', listWords(key.effective.networks, 'everywhere')),
    Object.keys(key.labels).length > 0 && fact('Labels', m('code', labelsText(key.labels))),
    fact('Expires', timeOr(key.expiresAt, 'never')),
    fact('Issued', timeOr(key.issuedAt)),
    key.lastUsedAt !== undefined && fact('Last used', key.lastUsedAt ? [timeOr(key.lastUsedAt), key.lastAddress && [' from ', m('code', key.lastAddress)]] : 'not known'),
    fact('Last changed', [timeOr(key.updatedAt), ' by ', m('span', key.updatedBy)]),
    grace && fact('Previous access key', [m('strong.grace', { role: 'timer' }, `still passes for ${grace}`), ', until ', time(key.previousValidUntil)]),
    Object.keys(key.metadata).length > 0 && fact('Metadata', m('pre', { tabindex: 0, role: 'region', 'aria-label': 'Metadata' }, JSON.stringify(key.metadata, null, 2))),
  ]);
}

async function run(state, work) {
  if (state.working) return;
  state.working = true;
  try { await work(); } catch (problem) { say(`${problem.message}. ${problem.detail ?? ''}`, 'bad'); }
  state.working = false;
  await state.loader.load();
}

async function endGrace(key) {
  const { body } = await call('POST', `/v1/keys/${key.keyId}/end-grace`, { query: { wait: 'enforced' }, body: {}, headers: { 'If-Match': `"${seqOf(key.position)}"` } });
  const { text, tone } = enforced('Grace ended', body.enforcement);
  say(text, tone);
}

function actions(state, key) {
  const disabled = key.status === 'disabled';
  const button = (text, onclick, more) => m('button', { type: 'button', onclick, disabled: state.working || false, ...more }, text);
  return m('.actions', { role: 'group', 'aria-label': 'What can be done' }, [
    button('Edit', () => { state.dialog = EditKey; }),
    button(disabled ? 'Enable' : 'Disable', () => run(state, () => update(key, { disabled: !disabled }, disabled ? 'Enabled' : 'Disabled'))),
    button('Rotate', () => { state.dialog = RotateKey; }),
    key.previousValidUntil && countdown(key.previousValidUntil) && button('End the grace', () => run(state, () => endGrace(key))),
    button('Delete', () => { state.dialog = DeleteKey; }, { class: 'danger' }),
  ]);
}

const dialogs = (state, key) => state.dialog && m(state.dialog, { subject: key, onclose: () => { state.dialog = undefined; state.loader.load(); } });

function history(trail) {
  return m('section', { 'aria-labelledby': 'history' }, [
    m('h2#history', 'History'),
    problemBox(trail.loader.problem ?? trail.problem),
    table({
      caption: 'Changes of this key, newest first', unseen: true, rows: trail.shown, empty: 'Reading the log…',
      columns: [
        ['When', (change) => timeOr(change.at)],
        ['Who', who],
        ['What', what],
        ['Before → after', (change) => differenceList(differencesOf(change))],
      ],
    }),
    trail.tail?.more && m('.buttons', m('button', { type: 'button', disabled: trail.busy || false, onclick: () => trail.further() }, 'There are older: show more')),
  ]);
}
