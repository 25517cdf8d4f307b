// Times, spans and numbers as people read them.
import { m } from './m.js';

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const steps = [['year', 31_557_600_000], ['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]];

/** "in 3 days", "2 hours ago". */
export function fromNow(iso) {
  const distance = Date.parse(iso) - Date.now();
  const [unit, size] = steps.find(([, size]) => Math.abs(distance) >= size) ?? steps[4];
  return relative.format(Math.trunc(distance / size), unit);
}

/** The moment, and on hover the exact text of the API. */
export const time = (iso) => m('time', { datetime: iso, title: iso }, moment.format(new Date(iso)));

export const timeOr = (iso, otherwise) => (iso ? [time(iso), ' ', m('span.muted', `(${fromNow(iso)})`)] : otherwise);

/** "1:04:09" left until then; empty once it has passed. */
export function countdown(iso) {
  const left = Math.ceil((Date.parse(iso) - Date.now()) / 1000);
  if (left <= 0) return '';
  const parts = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, i) => (i ? String(part).padStart(2, '0') : part)).join(':');
}

export const count = (n) => Number(n).toLocaleString();
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** A millisecond figure that says no more than it knows. */
export const millis = (ms) => (ms < 1 ? 'under 1 ms' : ms < 10_000 ? `${count(ms)} ms` : `${count(Math.round(ms / 1000))} s`);

/** `datetime-local` text of a moment, in the admin's own time zone. */
export function localInput(iso) {
  const at = new Date(iso);
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
