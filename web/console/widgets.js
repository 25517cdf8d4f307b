// The few parts that every page is made of.
import { m, redraw } from './m.js';
import { href } from './router.js';

/** What the last command came to, in a corner, for screen readers too. */
export const notice = { text: '', tone: 'good' };
let clearing;

export function say(text, tone = 'good') {
  Object.assign(notice, { text, tone });
  clearTimeout(clearing);
  clearing = setTimeout(() => { notice.text = ''; redraw(); }, tone === 'good' ? 12_000 : 30_000);
  redraw();
}

export const Notice = {
  view: () => m('.notice', { role: 'status', class: notice.text ? notice.tone : 'empty' }, notice.text && [
    m('p', notice.text),
    m('button.quiet', { type: 'button', 'aria-label': 'Close this message', onclick: () => { notice.text = ''; } }, '×'),
  ]),
};

/** A problem as the service told it, with a link to the page that explains its type. */
export const problemBox = (problem) => problem && m('.problem', { role: 'alert' }, [
  m('p', m('strong', problem.message), problem.detail && ` ${problem.detail}`),
  problem.errors?.length > 0 && m('ul', problem.errors.map((error) => m('li', m('code', error.pointer), ' ', error.detail))),
  problem.type?.startsWith('/problems/') && m('p', m('a', { href: problem.type, target: '_blank', rel: 'noopener' }, 'What this means')),
]);

export const badge = (status) => m('span.badge', { class: status }, status);

const shortId = (id) => `…${id.slice(-8)}`;
export const keyLink = (key) =>
  m('a', { href: href(['keys', key.keyId]), title: key.keyId }, key.name || shortId(key.keyId));

export const userLink = (userId) => m('a', { href: href(['users', userId]) }, userId);

/** One of a `dl.facts`. */
export const fact = (name, value) => m('div', [m('dt', name), m('dd', value)]);

let fieldNumber = 0;
/** A labelled control. `hint` stands below it and is read with it. */
export const Field = {
  oninit(vnode) { vnode.state.id = `field-${++fieldNumber}`; },
  view: ({ attrs: { label, hint, control = 'input', options, ...rest }, state: { id } }) => m('.field', [
    m('label', { for: id }, label),
    m(control, { id, autocomplete: 'off', spellcheck: false, 'aria-describedby': hint ? `${id}-hint` : undefined, ...rest },
      options?.map(([value, text]) => m('option', { value, selected: value === rest.value }, text))),
    hint && m('p.hint', { id: `${id}-hint` }, hint),
  ]),
};

/** A modal dialog: Escape and the button close it, focus goes back to where it was. */
export const Dialog = {
  oncreate({ dom, attrs }) {
    dom.showModal();
    dom.addEventListener('cancel', (event) => { event.preventDefault(); attrs.onclose(); redraw(); });
  },
  onremove({ dom }) { dom.close(); }, // it is still in the page, so the focus goes back
  view: ({ attrs, children }) => m('dialog', { 'aria-labelledby': 'dialog-title', class: attrs.class }, [
    m('h2#dialog-title', attrs.title),
    children,
  ]),
};

/** A form in a dialog: sends once, shows the problem if there is one, closes otherwise. */
export const FormDialog = {
  view: ({ attrs, state }) => m(Dialog, { title: attrs.title, onclose: attrs.onclose },
    m('form', {
      onsubmit: async (event) => {
        event.preventDefault();
        if (state.sending) return;
        Object.assign(state, { sending: true, problem: undefined });
        try { await attrs.send(); } catch (problem) { state.problem = problem; }
        state.sending = false;
        redraw();
      },
    }, [
      attrs.fields(),
      problemBox(state.problem),
      m('.buttons', [
        m('button', { type: 'button', onclick: attrs.onclose }, 'Cancel'),
        m('button.primary', { type: 'submit', disabled: state.sending || attrs.blocked?.() || false, class: attrs.danger ? 'danger' : undefined },
          state.sending ? 'Waiting…' : attrs.action),
      ]),
    ])),
};

/** The clipboard where the page may use it; else the text is selected and copied the old way (plain HTTP). */
async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(element);
    if (!document.execCommand('copy')) return false;
  }
  return true;
}

/** Text to take along, with a button. */
export const Copyable = {
  view: ({ attrs: { label, text }, state }) => m('.copyable', [
    m('.copy-head', [m('span', label), m('button', {
      type: 'button',
      onclick: async (event) => {
        const element = event.currentTarget.closest('.copyable').querySelector('pre');
        state.said = (await copy(text, element)) ? 'Copied' : 'Selected: copy it with the keyboard';
        redraw();
      },
    }, state.said ?? 'Copy', m('span.unseen', ` ${label}`))]),
    m('pre', { tabindex: 0, role: 'region', 'aria-label': label }, text),
  ]),
};

/** `columns`: [head, cell(row), class?]. At phone width each row is a card, so the roles are said. */
export const table = ({ caption, columns, rows, empty, unseen }) => m('table', { role: 'table' }, [
  m('caption', { class: unseen ? 'unseen' : undefined }, caption),
  m('thead', { role: 'rowgroup' }, m('tr', { role: 'row' }, columns.map(([head]) => m('th', { role: 'columnheader', scope: 'col' }, head)))),
  m('tbody', { role: 'rowgroup' }, rows.length === 0
    ? m('tr', { role: 'row' }, m('td.none', { role: 'cell', colspan: columns.length }, empty))
    : rows.map((row) => m('tr', { role: 'row' }, columns.map(([head, cell]) =>
      m('td', { role: 'cell', 'data-label': typeof head === 'string' ? head : undefined }, m('div', cell(row))))))),
]);
