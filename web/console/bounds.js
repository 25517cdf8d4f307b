// What keys and plans are bound to beside limits, scopes and networks, and labels: as text of a form, and as the API has
// them. No list at all is everything, an empty one is nothing.
import { m } from './m.js';
import { Field } from './widgets.js';

export const listForm = (list) => ({ listed: list === null || list === undefined ? '' : 'list', text: (list ?? []).join(' ') });
export const listOf = ({ listed, text }) => (listed ? text.split(/[\s,]+/).filter(Boolean) : null);
export const listWords = (list, everything) => {
  if (list === null || list === undefined) return everything;
  return list.length ? m('code', list.join(' ')) : 'none at all';
};

/** `form`: what listForm() made. `everything`: what no list means. */
export const ListFields = {
  view: ({ attrs: { label, form, everything, hint } }) => [
    m(Field, {
      label, control: 'select', value: form.listed, options: [['', everything], ['list', 'only these:']],
      onchange: (event) => { form.listed = event.target.value; },
    }),
    form.listed && m(Field, {
      label: `${label}, with a space between`, value: form.text, hint, oninput: (event) => { form.text = event.target.value; },
    }),
  ],
};

export const labelsText = (labels) => Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`).join(', ');

export function labelsOf(text) {
  const pairs = text.split(',').map((pair) => pair.trim()).filter(Boolean);
  return Object.fromEntries(pairs.map((pair) => {
    const [name, ...value] = pair.split('=');
    return [name.trim(), value.join('=').trim()];
  }));
}
