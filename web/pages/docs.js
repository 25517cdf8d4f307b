// /docs: what /openapi.json says, as a page, and a form to try each route. Text only ever enters the page as text nodes.
'use strict';

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value);
  element.append(...children.flat().filter((child) => child != null && child !== ''));
  return element;
};

// `code` between backticks becomes <code>, and the name of a problem type a link to its page.
const linked = (code) => (/^\/problems\/[a-z-]+$/.test(code) ? make('a', { href: code }, make('code', {}, code)) : make('code', {}, code));
const rich = (text) => String(text ?? '').split('`').map((part, i) => (i % 2 ? linked(part) : part));
const prose = (text) => (text ? make('p', {}, rich(text)) : null);
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
const verbs = ['get', 'post', 'put', 'patch', 'delete'];

const table = (caption, heads, rows) => rows.length === 0 ? null : make('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption }, make('table', {},
  make('caption', {}, caption),
  make('thead', {}, make('tr', {}, heads.map((head) => make('th', { scope: 'col' }, head)))),
  make('tbody', {}, rows.map(([first, ...rest]) => make('tr', {}, make('th', { scope: 'row' }, first), rest.map((cell) => make('td', {}, cell)))))));

// In the page's memory only: gone when it is left.
let token = '';

function tokenForm() {
  const input = make('input', { type: 'password', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'token-hint' });
  input.addEventListener('input', () => { token = input.value.trim(); });
  return make('form', { 'aria-label': 'Token' }, make('label', {}, 'Token for “try it”', input),
    make('p', { class: 'muted', id: 'token-hint' }, 'An admin token or an access key, as the route needs. It stays in this page’s memory and goes to this service only.'));
}

class Reader {
  constructor(doc) { this.doc = doc; }
  resolve(node) {
    return node?.$ref ? this.resolve(node.$ref.slice(2).split('/').reduce((at, name) => at[name], this.doc)) : node;
  }
  typeOf(schema) {
    if (!schema) return '';
    if (schema.$ref) { const name = schema.$ref.split('/').pop(); return make('a', { href: `#schema-${slug(name)}` }, name); }
    if (schema.type === 'array') return make('span', {}, 'array of ', this.typeOf(schema.items));
    if (schema.const !== undefined) return make('code', {}, JSON.stringify(schema.const));
    return [].concat(schema.type ?? 'any').join(' or ') + (schema.format ? ` (${schema.format})` : '');
  }
  rulesOf(schema, description) {
    const rules = [description ?? schema.description];
    if (schema.enum) rules.push(`one of ${schema.enum.map((value) => `\`${value}\``).join(', ')}`);
    if (schema.minimum !== undefined) rules.push(schema.maximum === undefined ? `at least ${schema.minimum}` : `${schema.minimum} to ${schema.maximum}`);
    if (schema.maxLength !== undefined) rules.push(`at most ${schema.maxLength} characters`);
    if (schema.default !== undefined) rules.push(`default \`${JSON.stringify(schema.default)}\``);
    if (schema.examples) rules.push(`e.g. ${schema.examples.map((example) => `\`${JSON.stringify(example)}\``).join(', ')}`);
    return make('span', {}, rich(rules.filter(Boolean).join('; ')));
  }
  content(media) {
    return Object.entries(media ?? {}).flatMap(([type, { schema, example }]) => [
      make('p', {}, make('code', {}, type), ' ', this.typeOf(schema)),
      example === undefined ? null : make('pre', { tabindex: '0', role: 'group', 'aria-label': 'Example' }, textOf(example)),
    ]);
  }
  security(operation) {
    const names = (operation.security ?? []).flatMap((choice) => Object.keys(choice));
    if (names.length === 0) return 'Open to anyone.';
    return `Needs: ${names.map((name) => this.resolve(this.doc.components.securitySchemes[name]).description).join(' Or: ')}`;
  }
  operation(path, method, item) {
    const op = item[method];
    const parameters = [...(item.parameters ?? []), ...(op.parameters ?? [])].map((each) => this.resolve(each));
    const body = this.resolve(op.requestBody);
    const answers = Object.entries(op.responses).map(([status, answer]) => [status, this.resolve(answer)]);
    const rows = parameters.map((p) => [p.name, p.in + (p.required ? ', required' : ''), this.typeOf(p.schema), this.rulesOf(this.resolve(p.schema), p.description)]);
    return make('details', { id: op.operationId },
      make('summary', {}, make('h3', {}, make('span', { class: `method ${method}` }, method.toUpperCase()), ' ', make('code', {}, path), ' ', make('span', { class: 'muted' }, rich(op.summary)))),
      make('div', { class: 'inside' }, prose(op.description), prose(this.security(op)),
        table('Parameters', ['Name', 'In', 'Type', 'Rules'], rows),
        body ? make('h4', {}, `Body${body.required ? '' : ' (optional)'}`) : null, body ? this.content(body.content) : [],
        table('Answers', ['Status', 'Meaning', 'Headers'], answers.map(([status, answer]) => [status, make('span', {}, rich(answer.description)), Object.keys(answer.headers ?? {}).join(', ')])),
        answers.filter(([status, answer]) => status < 400 && answer.content).flatMap(([status, answer]) => [make('h4', {}, `Answer ${status}`), this.content(answer.content)]),
        tryForm(path, method, parameters, body)));
  }
  schema([name, schema]) {
    const members = Object.entries(schema.properties ?? {});
    return make('details', { id: `schema-${slug(name)}` }, make('summary', {}, make('h3', {}, name)),
      make('div', { class: 'inside' }, make('p', {}, this.rulesOf(schema)),
        table(`Members of ${name}`, ['Name', 'Type', 'Rules'], members.map(([member, type]) =>
          [member + ((schema.required ?? []).includes(member) ? '' : ' (optional)'), this.typeOf(type), this.rulesOf(this.resolve(type))]))));
  }
}

const textOf = (example) => (typeof example === 'string' ? example : JSON.stringify(example, null, 2));

// One field for each parameter; what is left empty is not sent.
function tryForm(path, method, parameters, body) {
  const fields = parameters.map((p) => [p, make('input', { autocomplete: 'off', spellcheck: 'false', required: p.required ? '' : undefined })]);
  const example = Object.values(body?.content ?? {})[0]?.example;
  const text = body && make('textarea', { spellcheck: 'false' }, example === undefined ? '' : textOf(example));
  const answer = make('div', { role: 'status' });
  const form = make('form', { 'aria-label': `Try ${method.toUpperCase()} ${path}` },
    fields.map(([p, input]) => make('label', {}, `${p.name} (${p.in})`, input)), text ? make('label', {}, 'Body', text) : null,
    make('button', { type: 'submit' }, 'Try it'), answer);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    answer.replaceChildren('Waiting…');
    answer.replaceChildren(...(await send(path, method, fields.map(([p, input]) => [p, input.value]), text ? text.value : undefined)));
  });
  return form;
}

async function send(path, method, values, body) {
  const given = (where) => values.filter(([p, value]) => p.in === where && value !== '');
  const query = new URLSearchParams(given('query').map(([p, value]) => [p.name, value]));
  const url = given('path').reduce((at, [p, value]) => at.replace(`{${p.name}}`, encodeURIComponent(value)), path) + (query.size ? `?${query}` : '');
  const headers = new Headers(given('header').map(([p, value]) => [p.name, value]));
  if (token) headers.set('Authorization', `Bearer ${token}`);
  if (body) headers.set('Content-Type', 'application/json');
  try {
    const reply = await fetch(url, { method: method.toUpperCase(), headers, body: body || undefined, cache: 'no-store', credentials: 'omit', redirect: 'error' });
    return shown(url, method, reply, await reply.text());
  } catch (error) {
    return [make('p', {}, `Nothing was answered: ${error.message}`)];
  }
}

function shown(url, method, reply, text) {
  let parsed;
  try { parsed = JSON.parse(text); } catch { parsed = undefined; }
  const type = String(parsed?.type ?? '').startsWith('/problems/') ? parsed.type : undefined;
  const head = [`${method.toUpperCase()} ${url}`, `${reply.status} ${reply.statusText}`, ...[...reply.headers].map(([name, value]) => `${name}: ${value}`)].join('\n');
  return [
    make('pre', { tabindex: '0', role: 'group', 'aria-label': 'Status and headers' }, head),
    text ? make('pre', { tabindex: '0', role: 'group', 'aria-label': 'Body of the answer' }, parsed === undefined ? text : JSON.stringify(parsed, null, 2)) : null,
    type ? make('p', {}, make('a', { href: type }, 'What this problem means')) : null,
  ].filter(Boolean);
}

function render(doc) {
  const reader = new Reader(doc);
  document.title = doc.info.title;
  document.getElementById('title').textContent = `${doc.info.title} ${doc.info.version}`;
  document.getElementById('about').replaceChildren(...rich([doc.info.summary, doc.info.description].filter(Boolean).join(' ')));
  document.getElementById('token').replaceChildren(tokenForm());
  const all = Object.entries(doc.paths).flatMap(([path, item]) => verbs.filter((verb) => item[verb]).map((verb) => [path, verb, item]));
  const sections = doc.tags.map((tag) => make('section', { 'aria-labelledby': slug(tag.name) },
    make('h2', { id: slug(tag.name) }, tag.name), prose(tag.description),
    all.filter(([, verb, item]) => item[verb].tags.includes(tag.name)).map((route) => reader.operation(...route))));
  sections.push(make('section', { 'aria-labelledby': 'schemas' }, make('h2', { id: 'schemas' }, 'Schemas'), Object.entries(doc.components.schemas).map((each) => reader.schema(each))));
  document.getElementById('content').replaceChildren(...sections);
  document.getElementById('contents').append(...[...doc.tags.map((tag) => tag.name), 'Schemas'].flatMap((name) => [make('a', { href: `#${slug(name)}` }, name), '  ']));
}

function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
}

addEventListener('hashchange', openTarget);
fetch('/openapi.json')
  .then((answer) => { if (!answer.ok) throw new Error(`status ${answer.status}`); return answer.json(); })
  .then((doc) => { render(doc); openTarget(); })
  .catch((error) => { document.getElementById('state').textContent = `The description cannot be read: ${error.message}`; });
