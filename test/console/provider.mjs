// An OpenID provider in small, of the test's own: discovery, authorization without a question, tokens for a code that
// comes with its verifier (RFC 7636). `next` is what is wrong with its next answer.
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class Provider {
  #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  #codes = new Map();
  asked = [];
  next = {};

  async start() {
    this.server = http.createServer((request, response) => this.#answer(request, response)).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
    this.issuer = `${this.origin}/realms/a`;
    return this;
  }
  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
  #jwt(claims) {
    const now = Math.floor(Date.now() / 1000);
    const text = `${encode({ alg: 'ES256', kid: 'one', typ: 'JWT' })}.${encode({ iss: this.issuer, iat: now, exp: now + 600, ...claims })}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key: this.#keys.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
  async #answer(request, response) {
    const url = new URL(request.url, this.origin);
    this.asked.push(url.pathname);
    const json = (status, body) => response.writeHead(status, { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' }).end(JSON.stringify(body));
    if (url.pathname === '/realms/a/.well-known/openid-configuration') {
      return json(200, { issuer: this.issuer, jwks_uri: `${this.origin}/keys`, authorization_endpoint: `${this.origin}/authorize?tenant=1`, token_endpoint: `${this.origin}/token` });
    }
    if (url.pathname === '/keys') return json(200, { keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' }] });
    if (url.pathname === '/authorize') return this.#authorize(Object.fromEntries(url.searchParams), response);
    if (url.pathname === '/token') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      return this.#token(Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())), json);
    }
    return json(404, {});
  }
  #authorize(question, response) {
    const wanted = ['response_type', 'client_id', 'scope', 'audience', 'code_challenge_method', 'tenant'].map((name) => question[name]).join(' ');
    if (wanted !== 'code console openid latchkey S256 1') return response.writeHead(400).end(wanted);
    const code = randomUUID();
    this.#codes.set(code, question);
    const answer = { state: question.state, ...(this.next.error ? { error: this.next.error } : { code }), ...this.next.answer };
    return response.writeHead(302, { Location: `${question.redirect_uri}?${new URLSearchParams(answer)}` }).end();
  }
  #token({ code, code_verifier: verifier, client_id: client, redirect_uri: home, grant_type: grant }, json) {
    const question = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256').update(verifier ?? '').digest('base64url');
    const right = question && grant === 'authorization_code' && challenge === question.code_challenge && client === question.client_id && home === question.redirect_uri;
    if (!right) return json(400, { error: 'invalid_grant' });
    return json(200, {
      token_type: 'Bearer',
      id_token: this.#jwt({ sub: 'ada', aud: 'console', nonce: question.nonce, ...this.next.id }),
      access_token: this.#jwt({ sub: 'ada', aud: 'latchkey', role: 'admin', ...this.next.access }),
    });
  }
}
