// Create, edit, rotate, delete: one dialog each. A new access key is in the dialog that shows it and nowhere else.
import { call, idempotencyKey } from './api.js';
import { ListFields, labelsOf, labelsText, listForm, listOf } from './bounds.js';
import { enforced } from './enforcement.js';
import { localInput, millis } from './format.js';
import { LimitFields, limitRows, limitsOf } from './limits.js';
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

const isShort = (limit) => limit.name === 'per-minute';

/** Plan, limits, scopes, networks and labels of a key as a form has them. */
function termsForm(key) {
  return {
    plan: key.plan ?? '', requestsPerMinute: key.requestsPerMinute ? String(key.requestsPerMinute) : '',
    rows: limitRows(key.limits?.filter((limit) => !isShort(limit))), unlimited: key.limits?.length === 0,
    scopes: listForm(key.scopes), networks: listForm(key.networks), labels: labelsText(key.labels),
  };
}

/** What PATCH or POST is to be told of the limits: the short form where that says it all. */
function changedLimits(form, key) {
  const more = limitsOf(form.rows);
  const others = (key.limits ?? []).filter((limit) => !isShort(limit));
  const requestsPerMinute = form.requestsPerMinute ? Number(form.requestsPerMinute) : null;
  const [short] = (key.limits ?? []).filter(isShort);
  const all = [...(requestsPerMinute ? [{ name: 'per-minute', window: '60s', ...short, requests: requestsPerMinute }] : []), ...more];
  if (all.length === 0) {
    const limits = form.unlimited ? [] : null;
    return JSON.stringify(limits) === JSON.stringify(key.limits ?? null) ? {} : { limits };
  }
  if (JSON.stringify(more) !== JSON.stringify(others)) return { limits: all };
  return requestsPerMinute === (key.requestsPerMinute ?? null) ? {} : { requestsPerMinute };
}

function changedTerms(form, key) {
  const body = changedLimits(form, key);
  const member = (name, value, before) => { if (JSON.stringify(value) !== JSON.stringify(before)) body[name] = value; };
  member('plan', form.plan.trim() || null, key.plan ?? null);
  member('scopes', listOf(form.scopes), key.scopes ?? null);
  member('networks', listOf(form.networks), key.networks ?? null);
  member('labels', labelsOf(form.labels), key.labels ?? {});
  return body;
}

const TermsFields = {
  view: ({ attrs: { state } }) => {
    const { form } = state;
    return m('details', [
      m('summary', 'Plan, more limits, scopes, networks, labels'),
      m(Field, { label: 'Plan', ...bound(state, 'plan'), hint: 'By its name. Empty: that of the user, if there is one.' }),
      m(LimitFields, { rows: form.rows, own: true, legend: 'More limits' }),
      !form.requestsPerMinute && form.rows.length === 0 && m('label.check', [
        m('input', { type: 'checkbox', checked: form.unlimited || false, onchange: (event) => { form.unlimited = event.target.checked; } }), ' Unlimited, whatever its plan and its user say',
      ]),
      m(ListFields, { label: 'Scopes', form: form.scopes, everything: 'those of the plan, else every scope', hint: 'Such as orders:read reports:*' }),
      m(ListFields, { label: 'Networks', form: form.networks, everything: 'those of the plan, else everywhere', hint: 'Such as 203.0.113.0/24 2001:db8::/32' }),
      m(Field, { label: 'Labels', ...bound(state, 'labels'), hint: 'Such as team=search, env=prod' }),
    ]);
  },
};

export const CreateKey = {
  oninit({ state }) {
    state.form = { userId: '', name: '', expiresIn: '30d', ...termsForm({ requestsPerMinute: 60 }) };
  },
  view: ({ attrs: { onclose }, state }) => state.issued ? m(Issued, { ...state.issued, onclose }) : m(FormDialog, {
    title: 'New access key', action: 'Create', onclose,
    send: async () => {
      const { userId, name, expiresIn } = state.form;
      const body = { userId, ...changedTerms(state.form, {}) };
      if (name) body.name = name;
      if (expiresIn) body.expiresIn = expiresIn;
      const { body: answer } = await call('POST', '/v1/keys', { query: wait, body, headers: repeatable(state, body) });
      state.issued = { accessKey: answer.accessKey, outcome: enforced('Created', answer.enforcement) };
    },
    fields: () => [
      m(Field, { label: 'User id', required: true, maxlength: 128, ...bound(state, 'userId'), hint: 'Whose key it is: what your API gets in X-Latchkey-User.' }),
      m(Field, { label: 'Name', maxlength: 128, ...bound(state, 'name'), hint: 'For people: “CI”, “mobile app”.' }),
      m(Field, { label: 'Requests per minute', type: 'number', min: 1, max: 1_000_000, ...bound(state, 'requestsPerMinute'), hint: 'Empty: what the plan, the user or other limits say.' }),
      m(Field, { label: 'Expires', control: 'select', options: expiries, value: state.form.expiresIn, onchange: (event) => { state.form.expiresIn = event.target.value; } }),
      m(TermsFields, { state }),
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
  Object.assign(body, changedTerms(form, key));
  const before = key.expiresAt ? localInput(key.expiresAt) : '';
  if (form.expiresAt !== before) body.expiresAt = form.expiresAt ? new Date(form.expiresAt).toISOString() : null;
  return body;
}

export const EditKey = {
  oninit({ state, attrs: { subject: key } }) {
    state.key = key; // as it was when the dialog opened: a change by somebody else meanwhile is 412, not lost
    state.form = { name: key.name, expiresAt: key.expiresAt ? localInput(key.expiresAt) : '', ...termsForm(key) };
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
      m(Field, { label: 'Requests per minute', type: 'number', min: 1, max: 1_000_000, ...bound(state, 'requestsPerMinute'), hint: 'Holds at once, lowered or raised. Empty: none of its own.' }),
      m(Field, { label: 'Expires', type: 'datetime-local', ...bound(state, 'expiresAt'), hint: 'In your time zone; empty: never.' }),
      m(TermsFields, { state }),
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
