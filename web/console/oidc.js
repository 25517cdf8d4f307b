// Sign-in at a provider: OpenID Connect's code flow with PKCE (RFC 7636), state and nonce.
//
//   leave()      the browser goes to the provider; what proves that an answer is to this question stays in this tab
//   returned()   the browser is back, with ?code=…: the code is changed for tokens, and never stays in the address
//
// The access token is for our audience, and the service judges it. The id token only shows that the answer is to our
// question: it comes from the provider itself, so that its signature need not be checked (OpenID Connect Core, 3.1.3.7).
import { Problem, claimsOf } from './api.js';

const meta = document.querySelector('meta[name="oidc"]');
/** {issuer, clientId, audience}; undefined: an admin token is all there is. */
export const provider = meta ? { ...meta.dataset } : undefined;

const slot = 'latchkey-sign-in';
const home = `${location.origin}/`;
const wrong = (title, detail) => new Problem(0, { title, detail });
const base64url = (octets) => btoa(String.fromCharCode(...octets)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const secret = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const digest = async (text) => base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));

async function ask(url, options) {
  let answer;
  try {
    answer = await fetch(url, { credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer', cache: 'no-store', ...options });
  } catch {
    throw wrong('The provider cannot be asked', `${new URL(url).origin} does not answer this page. It must allow the origin ${location.origin} (CORS).`);
  }
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw wrong('The provider refuses', document.error_description ?? document.error ?? `Status ${answer.status}.`);
  return document;
}

/** The provider's addresses; only what the page's policy lets it ask, and no script in the place of a page. */
async function discover() {
  const found = await ask(`${provider.issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`);
  const origin = new URL(provider.issuer).origin;
  if (found.issuer !== provider.issuer) throw wrong('The provider is another one', `It calls itself ${found.issuer}, not ${provider.issuer}.`);
  for (const name of ['authorization_endpoint', 'token_endpoint']) {
    if (!/^https?:\/\//.test(found[name] ?? '')) throw wrong('The provider cannot be used', `It names no ${name}.`);
  }
  if (new URL(found.token_endpoint).origin !== origin) throw wrong('The provider cannot be used', `Its token endpoint is not at ${origin}, and this page asks nobody else.`);
  return found;
}

export async function leave() {
  if (!crypto.subtle) throw wrong('This page came by plain HTTP', 'Signing in at a provider wants https, or localhost.');
  const { authorization_endpoint: endpoint } = await discover();
  const question = { state: secret(), nonce: secret(), verifier: secret(), hash: location.hash };
  sessionStorage.setItem(slot, JSON.stringify(question));
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries({
    response_type: 'code', client_id: provider.clientId, redirect_uri: home, scope: 'openid', audience: provider.audience,
    state: question.state, nonce: question.nonce, code_challenge: await digest(question.verifier), code_challenge_method: 'S256',
  })) url.searchParams.set(name, value);
  location.assign(url.href);
}

/** Takes the answer out of the address and the question out of the tab: neither serves twice. */
function takeAnswer() {
  const answer = Object.fromEntries(new URLSearchParams(location.search));
  if (answer.code === undefined && answer.error === undefined) return {};
  const question = JSON.parse(sessionStorage.getItem(slot) ?? '{}');
  sessionStorage.removeItem(slot);
  history.replaceState(null, '', `/${question.hash ?? ''}`);
  return { answer, question };
}

const { answer, question } = provider ? takeAnswer() : {};
export const isBack = answer !== undefined;

function checkId(token, nonce) {
  const claims = claimsOf(token);
  const audiences = [claims.aud].flat();
  if (claims.nonce !== nonce || claims.iss !== provider.issuer || !audiences.includes(provider.clientId)) {
    throw wrong('The provider answers another question', 'Its id token is not for this sign-in. Begin again.');
  }
}

/** An access token. Throws a Problem; at most once after each return. */
export async function returned() {
  if (!question.state || answer.state !== question.state) throw wrong('This sign-in was not begun here', 'Begin again, in this tab.');
  if (answer.iss !== undefined && answer.iss !== provider.issuer) throw wrong('The provider is another one', `The answer is by ${answer.iss}.`);
  if (answer.error !== undefined) throw wrong('The provider refuses', answer.error_description ?? answer.error);
  const { token_endpoint: endpoint } = await discover();
  const body = new URLSearchParams({ grant_type: 'authorization_code', code: answer.code, redirect_uri: home, client_id: provider.clientId, code_verifier: question.verifier });
  const tokens = await ask(endpoint, { method: 'POST', body });
  checkId(tokens.id_token ?? '', question.nonce);
  if (!tokens.access_token) throw wrong('The provider cannot be used', 'It gives no access token.');
  return tokens.access_token;
}
