// Plans: limits under a name, for many keys and users at once.
import { session } from './api.js';
import { ListFields, listForm, listOf, listWords } from './bounds.js';
import { count, timeOr } from './format.js';
import { LimitFields, limitList, limitRows, limitsOf } from './limits.js';
import { m } from './m.js';
import { change, make, pager, pages, remove } from './named.js';
import { Field, FormDialog, table } from './widgets.js';

const PlanDialog = {
  oninit({ state, attrs: { plan } }) {
    state.plan = plan;
    state.form = { name: plan?.name ?? '', description: plan?.description ?? '', rows: limitRows(plan?.limits), scopes: listForm(plan?.scopes), networks: listForm(plan?.networks) };
  },
  view: ({ attrs: { onclose }, state: { plan, form } }) => m(FormDialog, {
    title: plan ? `Edit the plan ${plan.name}` : 'New plan', action: plan ? 'Save' : 'Create', onclose,
    send: async () => {
      const body = { description: form.description, limits: limitsOf(form.rows), scopes: listOf(form.scopes), networks: listOf(form.networks) };
      await (plan ? change('plans', plan.name, plan, body, 'Saved') : make('plans', form.name, body));
      onclose();
    },
    fields: () => [
      !plan && m(Field, { label: 'Name', required: true, pattern: '[a-z0-9-]{1,32}', value: form.name, oninput: (event) => { form.name = event.target.value; }, hint: 'a–z, 0–9 and -' }),
      m(Field, { label: 'Description', maxlength: 512, value: form.description, oninput: (event) => { form.description = event.target.value; } }),
      m(LimitFields, { rows: form.rows }),
      m(ListFields, { label: 'Scopes', form: form.scopes, everything: 'every scope', hint: 'Such as orders:read reports:*' }),
      m(ListFields, { label: 'Networks', form: form.networks, everything: 'from everywhere', hint: 'Such as 203.0.113.0/24 2001:db8::/32' }),
    ],
  }),
};

const DeletePlan = {
  oninit({ state }) { state.typed = ''; },
  view: ({ attrs: { plan, onclose }, state }) => m(FormDialog, {
    title: 'Delete the plan', action: 'Delete', danger: true, onclose, blocked: () => state.typed !== plan.name,
    send: async () => { await remove('plans', plan.name, plan); onclose(); },
    fields: () => [
      m('p', 'Only a plan that no key and no user names any more can go.'),
      m(Field, { label: `Type ${plan.name} to go on`, value: state.typed, oninput: (event) => { state.typed = event.target.value; } }),
    ],
  }),
};

const columns = (state) => [
  ['Plan', (plan) => plan.name],
  ['Description', (plan) => plan.description],
  ['Limits', (plan) => limitList(plan.limits)],
  ['Scopes', (plan) => listWords(plan.scopes, 'every scope')],
  ['Networks', (plan) => listWords(plan.networks, 'everywhere')],
  ['Keys', (plan) => count(plan.keys)],
  ['Last changed', (plan) => [timeOr(plan.updatedAt), ` by ${plan.updatedBy}`]],
  ...(session.mayWrite ? [['Actions', (plan) => m('.actions', [
    m('button', { type: 'button', onclick: () => { state.dialog = [PlanDialog, plan]; } }, 'Edit', m('span.unseen', ` ${plan.name}`)),
    m('button.danger', { type: 'button', onclick: () => { state.dialog = [DeletePlan, plan]; } }, 'Delete', m('span.unseen', ` ${plan.name}`)),
  ])]] : []),
];

export const PlansPage = {
  oninit({ state }) { pages(state, 'plans'); },
  onremove({ state }) { state.rows.stop(); },
  view: ({ state }) => [
    m('.page-head', [m('h1', { tabindex: -1 }, 'Plans'), session.mayWrite && m('button.primary', { type: 'button', onclick: () => { state.dialog = [PlanDialog]; } }, 'New plan')]),
    state.rows.data && table({ caption: 'Plans', unseen: true, columns: columns(state), rows: state.rows.data.plans, empty: 'There is no plan yet.' }),
    pager(state, 'plans'),
    state.dialog && m(state.dialog[0], { plan: state.dialog[1], onclose: () => { state.dialog = undefined; state.rows.load(); } }),
  ],
};
