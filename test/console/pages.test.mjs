// What the pages weigh, the policy they come with, and the description at both services.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Stage, looks } from './stage.mjs';

const bound = 60 * 1024;
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

for (const look of Object.keys(looks)) {
  describe(look, () => {
    let stage, page;
    before(async () => {
      stage = await Stage.open(look);
      page = stage.page;
    });
    after(() => stage?.close());

    test('the console weighs at most 60 KiB, gzip, with everything', async (t) => {
      let bytes = 0;
      for (const path of ['/', '/console.js', '/console.css']) {
        const answer = await fetch(stage.keys.url + path);
        assert.equal(answer.status, 200, path);
        bytes += gzipSync(Buffer.from(await answer.arrayBuffer()), { level: 9 }).length;
      }
      t.diagnostic(`${bytes} bytes`);
      assert.ok(bytes <= bound, String(bytes));
    });

    test('each page has the policy, to the letter', async () => {
      for (const url of [stage.keys.url, ...[stage.keys, stage.tokens].flatMap(({ url }) => [`${url}/docs`, `${url}/problems`, `${url}/problems/key-expired`])]) {
        const answer = await fetch(url);
        assert.equal(answer.headers.get('content-security-policy'), policy, url);
        assert.equal(answer.headers.get('referrer-policy'), 'no-referrer', url);
      }
    });

    test('the policy is in force: no script from elsewhere, no markup from text', async () => {
      await page.goto(stage.keys.url);
      const blocked = await page.evaluate(() => {
        try { document.body.innerHTML = '<b>x</b>'; return ''; } catch (error) { return error.name; }
      });
      assert.equal(blocked, 'TypeError');
      const asked = await page.evaluate(() => fetch('http://127.0.0.2:1/').then(() => 'asked', (error) => error.name));
      assert.equal(asked, 'TypeError');
      assert.ok(stage.said.some((text) => /Content Security Policy/.test(text)));
    });

    for (const service of ['keys', 'tokens']) {
      test(`the description of ${service} is a page`, async () => {
        await page.goto(`${stage[service].url}/docs`);
        await page.getByRole('heading', { level: 2, name: 'Schemas' }).waitFor();
        await page.evaluate(() => document.querySelectorAll('details').forEach((each) => { each.open = true; }));
        await stage.check(`docs of ${service}`);
        assert.ok(!(await page.locator('body').innerText()).includes('`'), 'a raw backtick');
        const verbs = await page.locator('.method').evaluateAll((all) => [...new Set(all.map((each) => `${each.className} ${each.textContent} ${getComputedStyle(each).color}`))]);
        const colours = new Set(verbs.map((verb) => verb.split(') ').pop().replace(/^.*?rgb/, 'rgb')));
        assert.equal(colours.size, verbs.length, verbs.join('; '));
        if (service === 'keys') await stage.picture(`docs-${look}`);
      });
    }

    test('each link of the description leads somewhere', async () => {
      await page.goto(`${stage.keys.url}/docs`);
      await page.getByRole('heading', { level: 2, name: 'Schemas' }).waitFor();
      const links = await page.locator('a').evaluateAll((all) => all.map((each) => each.getAttribute('href')));
      assert.ok(links.includes('/problems'));
      for (const link of new Set(links)) {
        if (link.startsWith('#')) assert.equal(await page.locator(`[id="${link.slice(1)}"]`).count(), 1, link);
        else assert.equal((await fetch(new URL(link, stage.keys.url))).status, 200, link);
      }
    });

    test('a route is tried with a token, and a refusal is explained', async () => {
      await page.goto(`${stage.keys.url}/docs`);
      const route = page.getByRole('form', { name: 'Try GET /v1/keys', exact: true });
      await page.locator('summary').filter({ hasText: /GET\s+\/v1\/keys\s/ }).first().click();
      await route.getByRole('button', { name: 'Try it' }).click();
      await route.getByText('401 Unauthorized').waitFor();
      await stage.check('tried, refused');
      await route.getByRole('link', { name: 'What this problem means' }).click();
      await page.getByRole('heading', { level: 1, name: 'Credentials required' }).waitFor();
      await stage.check('problem');
      await page.getByRole('link', { name: 'All problem types' }).click();
      await page.getByRole('heading', { level: 1, name: 'Problem types' }).waitFor();
      await stage.check('problems');

      await page.goto(`${stage.keys.url}/docs`);
      await page.getByLabel('Token for').fill(stage.adminToken);
      const create = page.getByRole('form', { name: 'Try POST /v1/keys', exact: true });
      await page.locator('summary').filter({ hasText: /POST\s+\/v1\/keys\s/ }).first().click();
      await create.getByLabel('Body').fill('{"userId": "erin", "requestsPerMinute": 5}');
      await create.getByRole('button', { name: 'Try it' }).click();
      await create.getByText('201 Created').waitFor();
      const { keys: [key] } = await stage.api('GET', '/v1/keys?userId=erin');
      const one = page.getByRole('form', { name: 'Try GET /v1/keys/{keyId}', exact: true });
      await page.locator('summary').filter({ hasText: /GET\s+\/v1\/keys\/\{keyId\}\s/ }).click();
      await one.getByLabel('keyId').fill(key.keyId);
      await one.getByRole('button', { name: 'Try it' }).click();
      await one.getByText('"userId": "erin"').waitFor();
      assert.ok(!page.url().includes(stage.adminToken));
    });
  });
}
