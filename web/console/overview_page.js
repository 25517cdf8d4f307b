// What an admin wants to know first. A part that the service has no data for is not shown.
import { call } from './api.js';
import { has } from './features.js';
import { count, timeOr } from './format.js';
import { pageOf } from './history.js';
import { Loader } from './loader.js';
import { m } from './m.js';
import { replicasLoader, replicasTable } from './replicas_page.js';
import { href } from './router.js';
import { subject, who, what } from './audit_page.js';
import { keyLink, problemBox, table, userLink } from './widgets.js';
import { queryOf } from './keys_page.js';
import { Usage, most, nearLimit } from './usage.js';

const shown = 5;

// The first few of a kind; the link leads to all.
async function atRisk(expiry, signal) {
  const query = { ...queryOf({ expiry, status: 'active' }), limit: shown };
  return { expiry, ...(await call('GET', '/v1/keys', { signal, query })).body };
}

async function readRisks(signal) {
  return Promise.all(['week', 'never', ...(has('/v1/usage') ? ['unused'] : [])].map((expiry) => atRisk(expiry, signal)));
}

const named = async (row, signal) => ({ ...row, key: await call('GET', `/v1/keys/${row.group}`, { signal }).then(({ body }) => body, () => ({ keyId: row.group })) });

async function readBusiest(signal) {
  const [keys, users, near] = await Promise.all([most('key', shown, signal), most('user', shown, signal), nearLimit(signal)]);
  return { keys: await Promise.all(keys.map((row) => named(row, signal))), users, near };
}

const counts = [['Admitted', ({ admitted }) => count(admitted)], ['Over the limit', ({ limited }) => count(limited)], ['Refused', ({ refused }) => count(refused)]];

const busiest = ({ keys, users, near }) => m('.columns', [
  table({ caption: 'Most used keys', rows: keys, empty: 'No key was used.', columns: [['Key', ({ key }) => keyLink(key)], ...counts] }),
  table({ caption: 'Most active users', rows: users, empty: 'No user was active.', columns: [['User', ({ group }) => userLink(group)], ...counts] }),
  table({
    caption: 'Near their limit in the last hour', rows: near, empty: 'None of the busiest.',
    columns: [['Key', ({ key }) => keyLink(key)], ['Most in a minute', ({ peak, limit }) => `${count(peak)} of ${count(limit)}`], ['Over the limit', ({ limited }) => count(limited)]],
  }),
]);

export const OverviewPage = {
  oninit({ state }) {
    state.usage = new Usage('hour');
    state.replicas = replicasLoader();
    state.risks = new Loader(readRisks, (change) => change.key !== undefined);
    state.changes = new Loader(async (signal) => (await pageOf({}, { limit: 10, signal })).changes);
  },
  onbeforeupdate({ state }) { // what the service can do is known a moment after the page
    if (has('/v1/usage') && !state.busiest) {
      state.busiest = new Loader(readBusiest, () => false).every(30_000);
      state.risks.load();
    }
    return true;
  },
  onremove({ state }) { state.busiest?.stop(); [state.usage, state.replicas, state.risks, state.changes].forEach((loader) => loader.stop()); },
  view: ({ state }) => [
    m('h1', { tabindex: -1 }, 'Overview'),
    state.usage.view(),
    state.busiest && part('The last day', state.busiest, busiest),
    part('Replicas', state.replicas, ({ replicas }) => [summary(replicas), replicasTable(replicas)]),
    part('Keys at risk', state.risks, (risks) => m('.columns', risks.map(risk))),
    part('Latest changes', state.changes, (changes) => [latest(changes), m('p', m('a', { href: href(['audit']) }, 'The whole log'))]),
  ],
};

function part(title, loader, view) {
  if (!loader.data && !loader.problem) return undefined;
  return m('section', { 'aria-label': title }, [m('h2', title), loader.problem ? problemBox(loader.problem) : view(loader.data)]);
}

function summary(replicas) {
  const serving = replicas.filter((replica) => replica.state === 'serving').length;
  if (replicas.length === 0) return undefined;
  return m('p', { class: serving === replicas.length ? 'good' : 'bad' }, `${count(serving)} of ${count(replicas.length)} serving`);
}

const titles = { week: 'Expire within 7 days', never: 'Never expire', unused: 'Unused for 90 days' };

const risk = ({ expiry, keys, nextCursor }) => m('div', [
  table({
    caption: titles[expiry], rows: keys, empty: 'None.',
    columns: [['Key', keyLink], ['User', (key) => key.userId], expiry === 'week' ? ['Expires', (key) => timeOr(key.expiresAt, '')] : ['Created', (key) => timeOr(key.createdAt)]],
  }),
  nextCursor && m('p', m('a', { href: href(['keys'], { expiry, status: 'active' }) }, `All that ${titles[expiry].toLowerCase()}`)),
]);

const latest = (changes) => table({
  caption: 'Latest changes', unseen: true, rows: changes, empty: 'None yet.',
  columns: [['When', (change) => timeOr(change.at)], ['Who', who], ['What', what], ['On', subject]],
});
