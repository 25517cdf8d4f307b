// Before → after, as a list.
import { time } from './format.js';
import { m } from './m.js';

const isTime = /^\d{4}-\d\d-\d\dT/;
const value = (text) => (isTime.test(text) ? time(text) : m('span', text));

export const differenceList = (differences) => {
  if (differences.length === 0) return m('span.muted', 'Nothing that is shown here.');
  return m('ul.differences', differences.map(({ member, before, after }) => m('li', [
    m('code', member), ' ',
    before !== undefined && [m('del', value(before)), m('span.arrow', { 'aria-hidden': 'true' }, ' → '), m('span.unseen', ' became ')],
    m('ins', value(after)),
  ])));
};
