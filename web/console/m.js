// Of Mithril: hyperscript, mount and redraw. Its router, its XMLHttpRequest and m.trust (innerHTML) stay outside.
import hyperscript from 'mithril/hyperscript';
import mount from 'mithril/mount';
import { redraw } from 'mithril/redraw';

// An attribute that is `undefined` is absent: Mithril would leave it as it was before, and write null as the text "null".
// Mithril 1.1 keeps removed elements for reuse, and then moves their living siblings about, which lose the focus. It
// does not keep those that want to know of their removal, so each does.
const unused = () => {};

export function m(...parts) {
  const vnode = hyperscript(...parts);
  if (typeof vnode.tag === 'string') {
    const given = Object.entries(vnode.attrs ?? {}).filter(([, value]) => value !== undefined);
    vnode.attrs = { onremove: unused, ...Object.fromEntries(given) };
  }
  return vnode;
}

export { mount, redraw };
