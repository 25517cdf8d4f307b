// Who enforces, and how far behind each is.
import { call, session } from './api.js';
import { count, millis, timeOr } from './format.js';
import { Loader } from './loader.js';
import { m } from './m.js';
import { FormDialog, badge, problemBox, say, table } from './widgets.js';

export const replicasLoader = () =>
  new Loader(async (signal) => (await call('GET', '/v1/replicas', { signal })).body, () => true).every(1000);

const lag = (replica) => (replica.lagMillis === null ? '–' : millis(replica.lagMillis));
const behind = (replica) => (replica.lagChanges === null ? '–' : count(replica.lagChanges));

const columns = [
  ['Replica', (replica) => m('span', { title: replica.replicaId }, replica.name)],
  ['State', (replica) => badge(replica.state)],
  ['Changes behind', behind],
  ['Age of its view', lag],
  ['Refuses after', (replica) => `${replica.maxStalenessSeconds} s`],
  ['Running since', (replica) => timeOr(replica.startedAt)],
  ['Last report', (replica) => timeOr(replica.lastSeen)],
];

export const replicasTable = (replicas, more = []) => table({
  caption: 'Replicas of Token Information', unseen: true, columns: [...columns, ...more], rows: replicas,
  empty: 'No replica is registered: nobody enforces.',
});

const Forget = {
  view: ({ attrs: { replica, onclose } }) => m(FormDialog, {
    title: `Forget ${replica.name}`, action: 'Forget', danger: true, onclose,
    send: async () => {
      await call('DELETE', `/v1/replicas/${replica.replicaId}`);
      onclose();
      say(`Forgotten: ${replica.name}.`);
    },
    fields: () => m('p', 'Confirmations stop waiting for it. Only for a replica that has ended for certain: one that still runs would register again.'),
  }),
};

export const ReplicasPage = {
  oninit({ state }) { state.loader = replicasLoader(); },
  onremove({ state }) { state.loader.stop(); },
  view: ({ state }) => [
    m('h1', { tabindex: -1 }, 'Replicas'),
    problemBox(state.loader.problem),
    state.loader.data && [
      replicasTable(state.loader.data.replicas, session.mayWrite ? [['Registered', (replica) => (replica.state === 'serving' ? 'yes'
        : m('button', { type: 'button', onclick: () => { state.forget = replica; } }, 'Forget', m('span.unseen', ` ${replica.name}`)))]] : []),
      m('p.muted', ['The change log is at ', m('code', state.loader.data.position), '. A replica without news refuses by itself once its view is too old.']),
    ],
    state.forget && m(Forget, { replica: state.forget, onclose: () => { state.forget = undefined; state.loader.load(); } }),
  ],
};
