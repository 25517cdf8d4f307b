// Limits: in words, and as rows of a form.
import { count } from './format.js';
import { m } from './m.js';
import { Field } from './widgets.js';

const spans = [
  ['1s', 'a second'], ['60s', 'a minute'], ['3600s', 'an hour'], ['86400s', '24 hours'],
  ['day', 'a calendar day'], ['week', 'a calendar week'], ['month', 'a calendar month'],
];
const wordsOf = Object.fromEntries(spans);
const seconds = { s: 1, m: 60, h: 3600, d: 86_400 };

// "1h" and "3600s" are one window.
function spanOf(limit) {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(limit.window ?? '') ?? [];
  return number ? `${number * seconds[unit]}s` : limit.period;
}

/** The length of a limit's window in seconds; undefined: it has none. */
export const windowSeconds = (limit) => (limit.window ? Number.parseInt(spanOf(limit), 10) : undefined);

export function limitWords(limit) {
  const span = spanOf(limit);
  const zone = limit.period && limit.timeZone && limit.timeZone !== 'UTC' ? `, ${limit.timeZone}` : '';
  const per = limit.per === 'user' ? ', all keys of the user together' : '';
  const mode = limit.mode === 'observe' ? ', observed only' : '';
  return `${limit.name}: ${count(limit.requests)} in ${wordsOf[span] ?? span}${zone}${per}${mode}`;
}

export const limitList = (limits, otherwise = 'none') => (limits?.length ? m('ul.limits', limits.map((limit) => m('li', limitWords(limit)))) : otherwise);

/** Rows of a form for `limits`; what a row does not show of a limit (time zone, anchor day) stays. */
export const limitRows = (limits) => (limits ?? []).map((limit) => ({
  name: limit.name, requests: String(limit.requests), span: spanOf(limit), per: limit.per, mode: limit.mode, kept: limit,
}));

function limitOf({ name, requests, span, per, mode, kept }) {
  const limit = { ...kept, name, requests: Number(requests), per, mode };
  if (kept && spanOf(kept) === span) return limit;
  const { window, period, timeZone, anchorDay, ...rest } = limit;
  return /^\d/.test(span) ? { ...rest, window: span } : { ...rest, period: span };
}

export const limitsOf = (rows) => rows.map(limitOf);

const select = (row, member, i, label, options) => m(Field, {
  label: `${label} of limit ${i + 1}`, control: 'select', value: row[member], options, onchange: (event) => { row[member] = event.target.value; },
});
const input = (row, member, i, label, more) => m(Field, {
  label: `${label} of limit ${i + 1}`, required: true, value: row[member], oninput: (event) => { row[member] = event.target.value; }, ...more,
});

/** `own`: of a key, whose limits are never shared. */
export const LimitFields = {
  view: ({ attrs: { rows, own, legend = 'Limits' } }) => m('fieldset', [
    m('legend', legend),
    rows.map((row, i) => m('.limit-row', { key: row.number ??= Math.random() }, [
      input(row, 'name', i, 'Name', { pattern: '[a-z0-9-]{1,32}' }),
      input(row, 'requests', i, 'Requests', { type: 'number', min: 1, max: 1_000_000_000 }),
      select(row, 'span', i, 'Span', wordsOf[row.span] ? spans : [...spans, [row.span, row.span]]),
      !own && select(row, 'per', i, 'Counted', [['key', 'for each key'], ['user', 'over all keys of a user']]),
      select(row, 'mode', i, 'Mode', [['enforce', 'enforced'], ['observe', 'observed only']]),
      m('button', { type: 'button', onclick: () => { rows.splice(rows.indexOf(row), 1); } }, 'Remove', m('span.unseen', ` limit ${i + 1}`)),
    ])),
    m('button', { type: 'button', disabled: rows.length >= 8, onclick: () => { rows.push({ name: rows.length || own ? '' : 'per-minute', requests: '60', span: own ? 'day' : '60s', per: 'key', mode: 'enforce' }); } }, 'Add a limit'),
  ]),
};
