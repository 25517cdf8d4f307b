import { session } from './api.js';
import { start } from './live.js';
import { m, redraw } from './m.js';
import { Field, problemBox } from './widgets.js';

async function begin(form, state) {
  Object.assign(state, { sending: true, problem: undefined });
  try {
    await session.begin(form.elements.token.value.trim(), form.elements.remember.checked);
    form.reset();
    start();
  } catch (problem) {
    state.problem = problem;
  }
  state.sending = false;
  redraw();
}

export const SignIn = {
  view: ({ state }) => m('main.narrow', [
    m('h1', { tabindex: -1 }, 'Latchkey'),
    session.ended && m('.problem', { role: 'alert' }, m('p', m('strong', 'Your session has ended.'), ' ', session.ended)),
    m('form', { onsubmit: (event) => { event.preventDefault(); begin(event.target, state); } }, [
      m(Field, {
        label: 'Admin token', type: 'password', name: 'token', required: true, autofocus: true,
        hint: 'From your identity provider, or on the machine with the data directory: latchkey admin-token. A viewer token shows everything and changes nothing.',
      }),
      m('label.check', [m('input', { type: 'checkbox', name: 'remember' }), ' Keep it until this tab is closed']),
      m('p.hint', 'Otherwise it is forgotten as soon as the page is left or loaded again.'),
      problemBox(state.problem),
      m('.buttons', m('button.primary', { type: 'submit', disabled: state.sending || false }, state.sending ? 'Signing in…' : 'Sign in')),
    ]),
    m('p', [m('a', { href: '/docs' }, 'API description')]),
  ]),
};
