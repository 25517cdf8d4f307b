// The two real services, Debian's Chromium in one of three looks, and an admin in front of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Service, binary, environment } from './services.mjs';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const patience = 60_000; // waits for what must come, however slow the machine is

const pictures = ['overview-light', 'key-dark', 'keys-phone', 'audit-light']; // those of docs/images

export const looks = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};

export class Stage {
  /** `admins`: settings of a provider; else tokens are by the development key. */
  static async open(look, admins) {
    const stage = new Stage();
    stage.folder = mkdtempSync(join(tmpdir(), 'latchkey-console-'));
    stage.dataDir = join(stage.folder, 'latchkey-data');
    stage.keys = await new Service('keys', stage.dataDir, admins ?? {}).start();
    stage.tokens = await new Service('tokens', stage.dataDir, { LATCHKEY_MAX_STALENESS: '5s', LATCHKEY_REPLICA_NAME: 'tokens-1' }).start();
    if (!admins) stage.adminToken = stage.mint('admin');
    const args = ['--disable-dev-shm-usage', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])];
    stage.browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
    stage.look = looks[look];
    stage.name = look;
    stage.page = await stage.newPage();
    return stage;
  }

  mint(role) {
    const env = environment({ LATCHKEY_DATA_DIR: this.dataDir });
    return execFileSync(binary, ['admin-token', '--role', role], { env, encoding: 'utf8' }).trim();
  }

  // axe runs in the page's world, which its policy keeps closed: bypassCSP would hide what the policy refuses, so the
  // script is put in by the debugger (addInitScript), which no policy concerns.
  async newPage() {
    this.context = await this.browser.newContext({ ...this.look, locale: 'en-GB', timezoneId: 'UTC', permissions: ['clipboard-read', 'clipboard-write'] });
    await this.context.addInitScript({ path: axePath });
    this.context.setDefaultTimeout(patience);
    this.said = [];
    this.asked = [];
    const page = await this.context.newPage();
    page.on('console', (message) => this.said.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.said.push(`thrown: ${error.message}`));
    page.on('request', (request) => this.asked.push(request.url()));
    return page;
  }

  async close() {
    await this.browser?.close();
    await this.tokens?.stop();
    await this.keys?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** One request to the management service as an admin; the parsed body. */
  async api(method, path, body, headers = {}) {
    const answer = await fetch(this.keys.url + path, {
      method, body: body && JSON.stringify(body),
      headers: { Authorization: `Bearer ${this.adminToken}`, 'Content-Type': 'application/json', ...headers },
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  async newKey(more = {}) {
    return this.api('POST', '/v1/keys?wait=enforced&timeout=60s', { userId: 'alice', requestsPerMinute: 60, ...more });
  }

  /** The status that Token Information answers this access key. */
  async use(accessKey) {
    return (await fetch(`${this.tokens.url}/v1/tokens/ETH`, { headers: { Authorization: `Bearer ${accessKey}` } })).status;
  }

  async signIn({ token = this.adminToken, remember = false } = {}) {
    await this.page.goto(this.keys.url);
    await this.page.getByLabel('Admin token').fill(token);
    if (remember) await this.page.getByLabel('Keep it').check();
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  }

  async visit(section) {
    await this.page.getByRole('navigation', { name: 'Pages', exact: true }).getByRole('link', { name: section }).click();
    await this.page.getByRole('heading', { level: 1, name: section }).waitFor();
    assert.deepEqual(await this.page.locator('[aria-current]').allInnerTexts(), [section]);
  }

  /** axe finds nothing, and nothing is wider than the screen. */
  async check(what) {
    const found = await this.page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    const told = found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' | ')}`);
    assert.deepEqual(told, [], `axe, ${what}, ${this.name}`);
    const { wide, room } = await this.page.evaluate(() => ({ wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth }));
    assert.ok(wide <= room, `${what} is ${wide} wide where there is room for ${room}`);
  }

  /** Into the folder that LATCHKEY_IMAGES names, if it is set. */
  async picture(name) {
    const folder = process.env.LATCHKEY_IMAGES;
    if (!folder || !pictures.includes(name)) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }

  /** Everything that the page holds and that the browser stores, as one text. */
  async everythingInTheBrowser() {
    const inPage = await this.page.evaluate(() => [
      document.documentElement.outerHTML, location.href, document.cookie, document.title, JSON.stringify({ ...sessionStorage }), JSON.stringify({ ...localStorage }),
      ...[...document.querySelectorAll('input, textarea')].map((field) => field.value), JSON.stringify(history.state),
    ].join('\n'));
    return [inPage, JSON.stringify(await this.context.storageState()), ...this.said, ...this.asked].join('\n');
  }

  /** [file, content] of every file below the data directory, and the services' output. */
  * files(folder = this.folder) {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const kind = statSync(path);
      if (kind.isDirectory()) yield* this.files(path);
      else if (kind.isFile()) yield [path, readFileSync(path, 'latin1')];
    }
  }
}
