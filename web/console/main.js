// The console: everything it does, the API does. See README.md beside this file.
import { session } from './api.js';
import { AuditPage } from './audit_page.js';
import { learn } from './features.js';
import { KeyPage } from './key_page.js';
import { KeysPage } from './keys_page.js';
import { live, start, stop } from './live.js';
import { m, mount, redraw } from './m.js';
import { OverviewPage } from './overview_page.js';
import { PlansPage } from './plans_page.js';
import { ReplicasPage } from './replicas_page.js';
import { here, href, watch } from './router.js';
import { SignIn } from './sign_in.js';
import { UserPage, UsersPage } from './users_page.js';
import { Notice } from './widgets.js';

const sections = [
  { path: [], title: 'Overview', page: OverviewPage },
  { path: ['keys'], title: 'Keys', page: KeysPage, item: KeyPage },
  { path: ['users'], title: 'Users', page: UsersPage, item: UserPage },
  { path: ['plans'], title: 'Plans', page: PlansPage },
  { path: ['audit'], title: 'Audit', page: AuditPage },
  { path: ['replicas'], title: 'Replicas', page: ReplicasPage },
];

const Lost = { view: () => [m('h1', { tabindex: -1 }, 'There is no such page'), m('p', m('a', { href: href([]) }, 'Overview'))] };

function found() {
  const section = sections.find(({ path }) => (path[0] ?? '') === (here.parts[0] ?? ''));
  const page = here.parts.length < 2 ? section?.page : section?.item;
  return { section, page: page ?? Lost };
}

const liveWords = {
  connecting: () => 'Connecting…',
  live: () => 'Live',
  cut: () => `Not live: ${live.why}. What you see may be old; trying again${live.retryAt > Date.now() ? ` in ${Math.ceil((live.retryAt - Date.now()) / 1000)} s` : ''}.`,
};

const header = (section) => m('header', [
  m('a.skip', { href: '#content', onclick: (event) => { event.preventDefault(); document.getElementById('content').focus(); } }, 'Skip to the page'),
  m('a.home', { href: href([]) }, 'Latchkey'),
  m('nav', { 'aria-label': 'Pages' }, sections.map((each) =>
    m('a', { href: href(each.path), 'aria-current': each === section ? 'page' : undefined }, each.title))),
  m('.who', [
    m('span', { title: session.mayWrite ? 'admin' : 'viewer: sees everything, changes nothing' }, session.subject, !session.mayWrite && ' (viewer)'),
    m('a', { href: '/docs' }, 'API'),
    m('button.quiet', { type: 'button', onclick: () => session.end() }, 'Sign out'),
  ]),
]);

const Console = {
  view: () => {
    if (!session.open) return m(SignIn);
    const { section, page } = found();
    document.title = `${section?.title ?? 'Latchkey'} · Latchkey`;
    return [
      header(section),
      m('.live', { role: 'status', class: live.state }, liveWords[live.state]?.()),
      m('main#content', { tabindex: -1 }, m('div', { key: here.parts.join('/') }, m(page))),
      m(Notice),
    ];
  },
};

session.onEnd.push(() => { stop(); document.title = 'Latchkey'; redraw(); });
watch();
learn();
if (session.open) start();
setInterval(() => { if (session.open && !document.hidden) redraw(); }, 1000); // countdowns
mount(document.getElementById('app'), Console);
