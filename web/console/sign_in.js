import { session } from './api.js';
import { start } from './live.js';
import { m, redraw } from './m.js';
import { isBack, leave, provider, returned } from './oidc.js';
import { Field, problemBox } from './widgets.js';

/** Shows the problem of what may fail. */
async function trying(state, work) {
  Object.assign(state, { sending: true, problem: undefined });
  try { await work(); } catch (problem) { state.problem = problem; }
  state.sending = false;
  redraw();
}

async function begin(form) {
  await session.begin(form.elements.token.value.trim(), form.elements.remember.checked);
  form.reset();
  start();
}

async function finish() {
  await session.begin(await returned(), false);
  start();
}

let back = isBack;

const atProvider = (state) => provider && [
  m('.buttons', m('button.primary', { type: 'button', disabled: state.sending || false, onclick: () => trying(state, leave) },
    state.sending ? 'Signing in…' : `Sign in at ${new URL(provider.issuer).host}`)),
  m('p.hint', 'Or by an admin token:'),
];

export const SignIn = {
  oninit({ state }) {
    if (back) trying(state, finish);
    back = false;
  },
  view: ({ state }) => m('main.narrow', [
    m('h1', { tabindex: -1 }, 'Latchkey'),
    session.ended && m('.problem', { role: 'alert' }, m('p', m('strong', 'Your session has ended.'), ' ', session.ended)),
    atProvider(state),
    m('form', { onsubmit: (event) => { event.preventDefault(); trying(state, () => begin(event.target)); } }, [
      m(Field, {
        label: 'Admin token', type: 'password', name: 'token', required: true, autofocus: !provider,
        hint: 'From your identity provider, or on the machine with the data directory: latchkey admin-token. A viewer token shows everything and changes nothing.',
      }),
      m('label.check', [m('input', { type: 'checkbox', name: 'remember' }), ' Keep it until this tab is closed']),
      m('p.hint', 'Otherwise it is forgotten as soon as the page is left or loaded again.'),
      problemBox(state.problem),
      m('.buttons', m('button', { type: 'submit', class: provider ? undefined : 'primary', disabled: state.sending || false }, state.sending ? 'Signing in…' : 'Sign in')),
    ]),
    m('p', [m('a', { href: '/docs' }, 'API description')]),
  ]),
};
