// Create, edit, rotate, delete: one dialog each. A new access key is in the dialog that shows it and nowhere else.
import { call, idempotencyKey } from './api.js';
import { enforced } from './enforcement.js';
import { localInput, millis } from './format.js';
import { m } from './m.js';
import { Copyable, Dialog, Field, FormDialog, say } from './widgets.js';

const wait = { wait: 'enforced' };
const bearerLine = (accessKey) => `curl -i -H "Authorization: Bearer ${accessKey}" http://localhost:7071/v1/tokens`;

/** An access key that was just issued. Forgotten with the dialog. */
const Issued = {
  view: ({ attrs: { accessKey, outcome, onclose } }) => m(Dialog, { title: 'The access key', onclose, class: 'wide' }, [
    m('p', { class: outcome.tone }, outcome.text),
    m('p', m('strong', 'It is shown this once and stored nowhere.'), ' Copy it now.'),
    m(Copyable, { label: 'access key', text: accessKey }),
    m(Copyable, { label: 'curl line', text: bearerLine(accessKey) }),
    m('p.hint', 'The address is the one of Token Information on this machine unless it was set otherwise.'),
    m('.buttons', m('button.primary', { type: 'button', onclick: onclose }, 'I have it')),
  ]),
};

const expiries = [['', 'never'], ['1d', 'in a day'], ['7d', 'in 7 days'], ['30d', 'in 30 days'], ['90d', 'in 90 days'], ['365d', 'in a year']];
// The same form sent again, since no answer came, is the same command.
function repeatable(state, body) {
  const text = JSON.stringify(body);
  if (state.sent !== text) Object.assign(state, { sent: text, once: idempotencyKey() });
  return { 'Idempotency-Key': state.once };
}

const bound = (state, name) => ({ value: state.form[name], oninput: (event) => { state.form[name] = event.target.value; } });

export const CreateKey = {
  oninit({ state }) {
    state.form = { userId: '', name: '', requestsPerMinute: '60', expiresIn: '30d' };
  },
  view: ({ attrs: { onclose }, state }) => state.issued ? m(Issued, { ...state.issued, onclose }) : m(FormDialog, {
    title: 'New access key', action: 'Create', onclose,
    send: async () => {
      const { userId, name, requestsPerMinute, expiresIn } = state.form;
      const body = { userId, requestsPerMinute: Number(requestsPerMinute) };
      if (name) body.name = name;
      if (expiresIn) body.expiresIn = expiresIn;
      const { body: answer } = await call('POST', '/v1/keys', { query: wait, body, headers: repeatable(state, body) });
      state.issued = { accessKey: answer.accessKey, outcome: enforced('Created', answer.enforcement) };
    },
    fields: () => [
      m(Field, { label: 'User id', required: true, maxlength: 128, ...bound(state, 'userId'), hint: 'Whose key it is: what your API gets in X-Latchkey-User.' }),
      m(Field, { label: 'Name', maxlength: 128, ...bound(state, 'name'), hint: 'For people: “CI”, “mobile app”.' }),
      m(Field, { label: 'Requests per minute', type: 'number', min: 1, max: 1_000_000, required: true, ...bound(state, 'requestsPerMinute') }),
      m(Field, { label: 'Expires', control: 'select', options: expiries, value: state.form.expiresIn, onchange: (event) => { state.form.expiresIn = event.target.value; } }),
    ],
  }),
};

const etag = (key) => ({ 'If-Match': `"${key.position.split('.')[1]}"` });

/** PATCH with what the admin has seen as its condition; says how far it is enforced. */
export async function update(key, body, done) {
  const { body: answer } = await call('PATCH', `/v1/keys/${key.keyId}`, { query: wait, body, headers: etag(key) });
  const { text, tone } = enforced(done, answer.enforcement);
  say(text, tone);
}

function changed(form, key) {
  const body = {};
  if (form.name !== key.name) body.name = form.name;
  if (Number(form.requestsPerMinute) !== key.requestsPerMinute) body.requestsPerMinute = Number(form.requestsPerMinute);
  const before = key.expiresAt ? localInput(key.expiresAt) : '';
  if (form.expiresAt !== before) body.expiresAt = form.expiresAt ? new Date(form.expiresAt).toISOString() : null;
  return body;
}

export const EditKey = {
  oninit({ state, attrs: { subject: key } }) {
    state.key = key; // as it was when the dialog opened: a change by somebody else meanwhile is 412, not lost
    state.form = { name: key.name, requestsPerMinute: String(key.requestsPerMinute), expiresAt: key.expiresAt ? localInput(key.expiresAt) : '' };
  },
  view: ({ attrs: { onclose }, state }) => m(FormDialog, {
    title: 'Edit the key', action: 'Save', onclose,
    send: async () => {
      const body = changed(state.form, state.key);
      if (Object.keys(body).length) await update(state.key, body, 'Saved');
      onclose();
    },
    fields: () => [
      m(Field, { label: 'Name', maxlength: 128, ...bound(state, 'name') }),
      m(Field, { label: 'Requests per minute', type: 'number', min: 1, max: 1_000_000, required: true, ...bound(state, 'requestsPerMinute'), hint: 'Holds at once, lowered or raised.' }),
      m(Field, { label: 'Expires', type: 'datetime-local', ...bound(state, 'expiresAt'), hint: 'In your time zone; empty: never.' }),
    ],
  }),
};

const graces = [['', 'none: the old access key ends now'], ['10m', '10 minutes'], ['1h', 'an hour'], ['1d', 'a day'], ['7d', '7 days']];

export const RotateKey = {
  oninit({ state }) { state.form = { grace: '10m' }; },
  view: ({ attrs: { subject: key, onclose }, state }) => state.issued ? m(Issued, { ...state.issued, onclose }) : m(FormDialog, {
    title: 'Rotate the access key', action: 'Rotate', onclose,
    send: async () => {
      const body = state.form.grace ? { gracePeriod: state.form.grace } : {};
      const { body: answer } = await call('POST', `/v1/keys/${key.keyId}/rotate`, { query: wait, body, headers: repeatable(state, body) });
      state.issued = { accessKey: answer.accessKey, outcome: enforced('Rotated', answer.enforcement) };
    },
    fields: () => [
      m('p', 'A new access key is issued. The key id, its limit and its name stay.'),
      m(Field, { label: 'How long the old one still passes', control: 'select', options: graces, value: state.form.grace, onchange: (event) => { state.form.grace = event.target.value; } }),
    ],
  }),
};

export const DeleteKey = {
  oninit({ state }) { state.form = { typed: '' }; },
  view: ({ attrs: { subject: key, onclose }, state }) => m(FormDialog, {
    title: 'Delete the key', action: 'Delete', danger: true, onclose,
    blocked: () => state.form.typed !== key.userId,
    send: async () => {
      const began = performance.now();
      const { body } = await call('DELETE', `/v1/keys/${key.keyId}`, { query: wait, headers: etag(key) });
      const took = millis(Math.round(performance.now() - began)); // a confirmed deletion has no body to say it
      const { text, tone } = body?.enforcement ? enforced('Deleted', body.enforcement) : { text: `Deleted: enforced everywhere in ${took}.`, tone: 'good' };
      onclose();
      say(text, tone);
    },
    fields: () => [
      m('p', 'No request with this key passes again. It stays in the list as deleted, and cannot be brought back.'),
      m(Field, { label: `Type the user id ${key.userId} to go on`, ...bound(state, 'typed') }),
    ],
  }),
};
