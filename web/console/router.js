// Where we are stands in the fragment: `#/keys?status=active`. The fragment is not sent to the service.
import { redraw } from './m.js';

// `count` moves with each change, `visits` with those that came from outside the page itself: a link, the back button.
export const here = { parts: [], query: {}, count: 0, visits: 0 };

function read() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  here.parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  here.query = Object.fromEntries(new URLSearchParams(query));
  here.count++;
}

export function href(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return `#/${parts.map(encodeURIComponent).join('/')}${given.length ? `?${new URLSearchParams(given)}` : ''}`;
}

export function go(parts, query) {
  location.hash = href(parts, query);
}

/** The same page with another query: no new entry in the history. */
export function refine(query) {
  history.replaceState(null, '', href(here.parts, query));
  read();
  redraw();
}

export function watch() {
  read();
  addEventListener('hashchange', () => {
    read();
    here.visits++;
    redraw();
    scrollTo(0, 0);
    document.querySelector('h1')?.focus({ preventScroll: true }); // a screen reader begins with the new page's name
  });
}
