// The change log read backwards, by the service's own filters.
import { call } from './api.js';
import { limitWords } from './limits.js';
import { Loader } from './loader.js';
import { redraw } from './m.js';

const unshown = new Set(['keyId', 'kid', 'role', 'position', 'createdAt', 'updatedAt', 'updatedBy', 'effective', 'enforcement', 'publicKey']);

export const seqOf = (position) => Number(position.slice(position.indexOf('.') + 1));

/** A page of the log, newest first: {changes, nextAfter, more}. `filters`: keyId, userId, actor, since, until. */
export async function pageOf(filters, { limit = 100, after, signal } = {}) {
  return (await call('GET', '/v1/changes', { signal, query: { order: 'desc', limit, after, ...filters } })).body;
}

/** The log, newest first and as far back as was asked for. `filters()`: as above; `wants`: a change that is heard of. */
export class Trail {
  constructor(filters, wants) {
    Object.assign(this, { filters, older: [], tail: undefined });
    this.loader = new Loader((signal) => this.read(signal), wants);
  }
  get shown() { return [...(this.loader.data?.changes ?? []), ...this.older]; }
  /** What was shown stays, where the new page reaches it. */
  async read(signal) {
    const page = await pageOf(this.filters(), { signal });
    const last = page.changes.at(-1)?.position;
    const reached = this.tail ? this.shown.findIndex(({ position }) => position === last) : -1;
    this.older = reached < 0 ? [] : this.shown.slice(reached + 1);
    if (this.older.length === 0) this.tail = page;
    return page;
  }
  async further() {
    this.busy = true;
    try {
      const { tail } = this;
      const page = await pageOf(this.filters(), { after: tail.nextAfter });
      if (this.tail === tail) {
        this.older.push(...page.changes);
        this.tail = page;
      }
    } catch (problem) {
      this.problem = problem;
    }
    this.busy = false;
    redraw();
  }
  /** By other filters. */
  restart() {
    Object.assign(this, { older: [], tail: undefined, problem: undefined });
    this.loader.load();
  }
  stop() { this.loader.stop(); }
}

export const rowOf = (change) => change.key ?? change.signingKey ?? change.user ?? change.plan ?? {};
export const subjectOf = (change) => rowOf(change).keyId ?? rowOf(change).kid ?? rowOf(change).userId ?? rowOf(change).name;

const words = (value, member) => {
  if (value === undefined || value === null) return 'none';
  if (member === 'limits') return value.map(limitWords).join('; ') || 'empty';
  if (value === '') return 'empty';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

function ofFirst(row) {
  return Object.entries(row).filter(([member, value]) => !unshown.has(member) && value !== null && value !== '' && words(value) !== '{}')
    .map(([member, value]) => ({ member, before: undefined, after: words(value, member) }));
}

/** [{member, before, after}]; of a row's first change all that it has. */
export function differencesOf(change) {
  if (!change.changed) return ofFirst(rowOf(change));
  return Object.entries(change.changed).filter(([member]) => !unshown.has(member))
    .map(([member, { before, after }]) => ({ member, before: words(before, member), after: words(after, member) }));
}
