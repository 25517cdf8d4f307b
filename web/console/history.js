// The change log read backwards. `seq` is dense, so the page before position p.n begins after n - size.
import { call } from './api.js';
import { limitWords } from './limits.js';

const unshown = new Set(['keyId', 'kid', 'role', 'position', 'createdAt', 'updatedAt', 'updatedBy', 'effective', 'enforcement', 'publicKey']);

export const seqOf = (position) => Number(position.slice(position.indexOf('.') + 1));

/** Up to `size` changes with seq <= `upTo` (absent: the newest), newest first, and where the log stands. */
export async function changesUpTo(upTo, size) {
  const end = upTo ?? seqOf((await call('GET', '/v1/changes', { query: { limit: 1 } })).body.position);
  const { body } = await call('GET', '/v1/changes', { query: { after: Math.max(0, end - size), limit: size } });
  const changes = body.changes.filter((change) => seqOf(change.position) <= end).reverse();
  return { changes, next: Math.max(0, end - size) };
}

export const rowOf = (change) => change.key ?? change.signingKey ?? change.user ?? change.plan ?? {};
export const subjectOf = (change) => rowOf(change).keyId ?? rowOf(change).kid ?? rowOf(change).userId ?? rowOf(change).name;

const words = (value, member) => {
  if (value === undefined || value === null) return 'none';
  if (member === 'limits') return value.map(limitWords).join('; ') || 'empty';
  if (value === '') return 'empty';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** [{member, before, after}] of what differs; `before` undefined where the row did not exist. */
export function differences(older, newer) {
  const names = new Set([...Object.keys(older ?? {}), ...Object.keys(newer)]);
  return [...names].filter((name) => !unshown.has(name)).flatMap((member) => {
    const [before, after] = [older?.[member], newer[member]];
    if (JSON.stringify(before) === JSON.stringify(after)) return [];
    if (!older && (after === null || after === '' || words(after) === '{}')) return [];
    return [{ member, before: older ? words(before, member) : undefined, after: words(after, member) }];
  });
}

/** Each change with `differences` from the change before of the same subject; null where that one is not in the list. */
export function withDifferences(newestFirst) {
  const last = new Map();
  const shown = [];
  for (const change of [...newestFirst].reverse()) {
    const kind = ['key', 'signingKey', 'user', 'plan'].find((member) => change[member]); // a user and a plan may have one name
    const subject = `${kind} ${subjectOf(change)}`;
    const known = last.has(subject) || /^(.*-)?create$/.test(change.action);
    shown.push({ change, differences: known ? differences(last.get(subject), rowOf(change)) : null });
    last.set(subject, rowOf(change));
  }
  return shown.reverse();
}
