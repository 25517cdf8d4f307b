// The one door to the service. The admin token stays in this module's memory, and in the tab's session storage if the
// admin chose that; it is put into the Authorization header and nowhere else.

const slot = 'latchkey-admin-token';
let token = sessionStorage.getItem(slot) ?? '';
let opened = token !== '';

/** RFC 9457 problem details, or what stands for them where no answer came. */
export class Problem extends Error {
  constructor(status, document) {
    super(document.title);
    Object.assign(this, { status, type: document.type, detail: document.detail, errors: document.errors ?? [] });
  }
}

/** A JWT's claims, unchecked: none where there are none. */
export function claimsOf(jwt) {
  try {
    const part = jwt.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  } catch {
    return {};
  }
}

const claims = () => claimsOf(token); // for display only: the service is the one that checks them

export const session = {
  ended: '', // why the last one ended, in words; empty: it did not, or the admin ended it
  get open() { return opened; },
  get subject() { return String(claims().sub ?? 'admin'); },
  /** False where the token says so itself. Roles under another claim are known to the service only. */
  get mayWrite() { return claims().role !== 'viewer'; },
  async begin(candidate, remember) {
    token = candidate;
    try {
      await call('GET', '/v1/keys', { query: { limit: 1 } });
    } catch (problem) {
      token = '';
      throw problem;
    }
    opened = true;
    session.ended = '';
    if (remember) sessionStorage.setItem(slot, token);
  },
  end(why = '') {
    token = '';
    opened = false;
    sessionStorage.removeItem(slot);
    session.ended = why;
    for (const listener of session.onEnd) listener();
  },
  onEnd: [],
};

function urlOf(path, query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== '');
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

async function ask(method, path, { query, body, headers, signal } = {}) {
  const sent = { Authorization: `Bearer ${token}`, ...headers };
  if (body !== undefined) sent['Content-Type'] = 'application/json';
  try {
    return await fetch(urlOf(path, query), {
      method, headers: sent, body: body && JSON.stringify(body), signal,
      cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer',
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { title: 'The service cannot be reached', detail: 'Nothing was answered. Is it running, and is the network there?' });
  }
}

async function problemOf(answer) {
  const document = await answer.json().catch(() => ({}));
  if (answer.status === 401 && opened) session.end(document.detail ?? document.title ?? 'The token is not accepted any more.');
  return new Problem(answer.status, { title: `Status ${answer.status}`, ...document });
}

/** The answer `{status, headers, body}`; throws a Problem where it is not one of success. */
export async function call(method, path, options) {
  const answer = await ask(method, path, options);
  if (!answer.ok) throw await problemOf(answer);
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : undefined };
}

/** A stream of bytes for `live.js`. */
export async function open(path, options) {
  const answer = await ask('GET', path, options);
  if (!answer.ok) throw await problemOf(answer);
  return answer.body.getReader();
}

/** For commands that must not happen twice. crypto.randomUUID is missing where the page came by plain HTTP. */
export const idempotencyKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (octet) => octet.toString(16).padStart(2, '0')).join('');
