// Every page and action of the console, against the two real services, in three looks. Each state is held to axe.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from './services.mjs';
import { Stage, looks } from './stage.mjs';

for (const look of process.env.LATCHKEY_LOOKS?.split(',') ?? Object.keys(looks)) {
  describe(look, () => {
    let stage, page;
    before(async () => {
      stage = await Stage.open(look);
      page = stage.page;
    });
    after(() => stage?.close());

    const button = (name) => page.getByRole('button', { name, exact: true });
    const dialog = () => page.getByRole('dialog');
    const notice = (text) => page.getByRole('status').filter({ hasText: text }).waitFor();
    const openKey = async (key) => {
      await page.goto(`${stage.keys.url}/#/keys/${key.keyId}`);
      await page.getByText(key.keyId, { exact: true }).waitFor();
    };
    const seen = async (text) => assert.ok((await page.locator('main').innerText()).includes(text), text);

    test('a token that is not accepted is refused in words', async () => {
      await page.goto(stage.keys.url);
      await stage.check('sign-in');
      await page.getByLabel('Admin token').fill('not.a.token');
      await button('Sign in').click();
      await page.getByRole('alert').filter({ hasText: /token/i }).waitFor();
      await stage.check('sign-in refused');
      const link = page.getByRole('link', { name: 'What this means' });
      assert.equal((await fetch(new URL(await link.getAttribute('href'), stage.keys.url))).status, 200);
    });

    test('a token stays in memory, and in session storage only by choice', async () => {
      await stage.signIn();
      assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
      await page.reload();
      await page.getByLabel('Admin token').waitFor(); // gone with the page
      await stage.signIn({ remember: true });
      await page.reload();
      await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
      await button('Sign out').click();
      await page.getByLabel('Admin token').waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.length), 0);
      assert.ok(!page.url().includes(stage.adminToken));
      assert.deepEqual(await stage.context.cookies(), []);
    });

    test('an empty house says so', async () => {
      await stage.signIn();
      await notice('Live');
      await page.getByRole('cell', { name: 'serving' }).waitFor();
      await stage.check('overview, empty');
      await stage.visit('Keys');
      await page.getByText('There is no key yet.').waitFor();
      await stage.check('keys, empty');
    });

    let created;
    test('a key is created, shown once, copied, and passes', async () => {
      await stage.signIn();
      await stage.visit('Keys');
      await button('New key').click();
      await stage.check('create');
      await page.getByLabel('User id').last().fill('alice');
      await page.getByLabel('Name', { exact: true }).fill('mobile app');
      await page.getByLabel('Requests per minute').fill('2000000');
      await page.getByLabel('Requests per minute').evaluate((field) => { field.removeAttribute('max'); });
      await button('Create').click();
      await dialog().getByRole('alert').filter({ hasText: '/requestsPerMinute' }).waitFor();
      await stage.check('create refused');
      await page.getByLabel('Requests per minute').fill('60');
      await button('Create').click();
      await dialog().getByText(/enforced everywhere in (under 1|[\d,]+) ms \(1 replica\)/).waitFor();
      await stage.check('created');
      await dialog().getByRole('button', { name: 'Copy access key' }).click();
      await dialog().getByRole('button', { name: 'Copied access key' }).waitFor();
      created = { accessKey: await page.evaluate(() => navigator.clipboard.readText()) };
      await dialog().getByRole('button', { name: 'Copy curl line' }).click();
      await dialog().getByRole('button', { name: 'Copied curl line' }).waitFor();
      assert.ok((await page.evaluate(() => navigator.clipboard.readText())).includes(`-H "Authorization: Bearer ${created.accessKey}"`));
      assert.equal(await stage.use(created.accessKey), 200);
      await button('I have it').click();
      await page.getByRole('link', { name: 'mobile app' }).waitFor();
      created.keyId = (await stage.api('GET', '/v1/keys?name=mobile')).keys[0].keyId;
    });

    test('the key that was shown is nowhere any more', async () => {
      await page.evaluate(() => navigator.clipboard.writeText(''));
      const signature = created.accessKey.split('.')[2];
      const browser = await stage.everythingInTheBrowser();
      assert.ok(browser.includes('mobile app')); // it looks where the page is
      assert.ok(!browser.includes(signature));
      const files = [...stage.files()];
      assert.ok(files.some(([path]) => path.endsWith('latchkey.db')) && files.some(([, text]) => text.includes(created.keyId)));
      for (const [path, text] of files) assert.ok(!text.includes(signature), path);
      for (const service of [stage.keys, stage.tokens]) assert.ok(!(await (await fetch(`${service.url}/metrics`)).text()).includes(signature));
    });

    test('a disable is enforced when the page says so', async () => {
      await openKey(created);
      await stage.check('key');
      await button('Disable').click();
      await notice(/Disabled: enforced everywhere in (under 1|[\d,]+) ms \(1 replica\)\./);
      assert.equal(await stage.use(created.accessKey), 401);
      await page.locator('.page-head').getByText('disabled', { exact: true }).waitFor();
      await stage.check('key, disabled');
      await button('Enable').click();
      await notice('Enabled: enforced everywhere');
      assert.equal(await stage.use(created.accessKey), 200);
    });

    test('an edit stands in the history as before and after', async () => {
      await openKey(created);
      await button('Edit').click();
      await stage.check('edit');
      await page.getByLabel('Requests per minute').fill('120');
      await page.getByLabel('Expires').fill('2040-01-02T03:04');
      await button('Save').click();
      await notice('Saved: enforced everywhere');
      await dialog().waitFor({ state: 'detached' });
      const history = page.getByRole('table', { name: 'Changes of this key' });
      await history.getByText('60').and(page.locator('del *, del')).first().waitFor();
      assert.match((await history.innerText()).replace(/\s+/g, ' '), /requestsPerMinute 60 → became 120|requestsPerMinute 60 →.*120/);
      assert.equal((await stage.api('GET', `/v1/keys/${created.keyId}`)).expiresAt, '2040-01-02T03:04:00.000Z');
      await stage.check('history');
      await stage.picture(`key-${look}`);
    });

    test('what somebody else changed meanwhile is not overwritten', async () => {
      await openKey(created);
      await button('Edit').click();
      await stage.api('PATCH', `/v1/keys/${created.keyId}`, { name: 'tablet app' });
      await page.getByRole('heading', { name: 'tablet app' }).waitFor({ state: 'attached' }); // live, behind the dialog
      await page.getByLabel('Requests per minute').fill('7');
      await button('Save').click();
      await dialog().getByRole('alert').filter({ hasText: 'Precondition failed' }).waitFor();
      await button('Cancel').click();
      assert.equal((await stage.api('GET', `/v1/keys/${created.keyId}`)).requestsPerMinute, 120);
    });

    test('a rotation with grace counts it down, and both keys pass', async () => {
      await openKey(created);
      await button('Rotate').click();
      await stage.check('rotate');
      await page.getByLabel('How long').selectOption('10m');
      await dialog().getByRole('button', { name: 'Rotate' }).click();
      await dialog().getByText('enforced everywhere').waitFor();
      const newer = await dialog().getByRole('region', { name: 'access key' }).innerText();
      await button('I have it').click();
      assert.deepEqual([await stage.use(created.accessKey), await stage.use(newer)], [200, 200]);
      const left = async () => (await page.getByRole('timer').innerText()).match(/(\d+):(\d\d)/).slice(1).reduce((minutes, seconds) => minutes * 60 + Number(seconds), 0);
      const first = await left();
      assert.ok(first > 0 && first <= 600, String(first));
      await eventually(async () => (await left()) < first, 'a second less');
      await stage.check('grace');
    });

    test('a deletion wants the user id typed', async () => {
      const { key, accessKey } = await stage.newKey({ name: 'to go', userId: 'bob' });
      await openKey(key);
      await button('Delete').click();
      await stage.check('delete');
      const really = dialog().getByRole('button', { name: 'Delete' });
      assert.ok(await really.isDisabled());
      await page.getByLabel('Type the user id').fill('alice');
      assert.ok(await really.isDisabled());
      await page.getByLabel('Type the user id').fill('bob');
      await really.click();
      await notice(/Deleted: enforced everywhere in (under 1|[\d,]+) ms/);
      assert.equal(await stage.use(accessKey), 401);
      await page.locator('.page-head').getByText('deleted', { exact: true }).waitFor();
      assert.equal(await button('Edit').count(), 0);
      await stage.check('deleted');
    });

    test('a dialog is for the keyboard too', async () => {
      await openKey(created);
      await button('Rotate').focus();
      await page.keyboard.press('Enter');
      await dialog().waitFor();
      await page.keyboard.press('Tab');
      assert.ok(await page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)));
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'detached' });
      assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Rotate');
      await page.goto(`${stage.keys.url}/#/audit`);
      const first = page.locator('a, button, input, select').first();
      assert.equal(await first.innerText(), 'Skip to the page');
      await first.focus();
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
    });

    test('keys are searched, filtered, sorted and paged at the service', async () => {
      for (let i = 0; i < 60; i++) await stage.api('POST', '/v1/keys', { userId: i % 2 ? 'carol' : 'dave', name: `batch ${i}`, requestsPerMinute: 5, ...(i < 3 ? { expiresIn: '3d' } : {}) });
      await page.goto(`${stage.keys.url}/#/keys`);
      const table = page.getByRole('table', { name: /^Access keys/ });
      const names = async () => table.locator('tbody tr td:first-child').allInnerTexts().then((cells) => cells.map((cell) => cell.trim()));
      const rows = (n) => eventually(async () => (await names()).length === n, `${n} rows`);
      await rows(50);
      assert.equal((await names())[0], 'batch 59');
      await stage.check('keys');
      await button('Next').click();
      await page.getByText('Page 2', { exact: true }).waitFor();
      await eventually(async () => !(await names()).includes('batch 59'), 'the next page');
      await button('Previous').click();
      await eventually(async () => (await names())[0] === 'batch 59', 'the first page');
      await page.getByLabel('User id').fill('carol');
      await rows(30);
      await page.getByLabel('Name contains').fill('batch 5');
      await rows(6);
      await page.getByRole('navigation', { name: 'Pages', exact: true }).getByRole('link', { name: 'Keys' }).click(); // begins anew
      await rows(50);
      assert.equal(await page.getByLabel('User id').inputValue(), '');
      await page.getByLabel('Status').selectOption('disabled');
      await page.getByText('No key is like that.').waitFor();
      await stage.check('keys, none found');
      await page.goto(`${stage.keys.url}/#/keys?order=oldest`);
      await eventually(async () => (await names())[0] === 'tablet app', 'the oldest first');
      await page.getByLabel('At risk').selectOption('week');
      await rows(3);
      await page.getByLabel('At risk').selectOption('never');
      await rows(50);
      await stage.picture(`keys-${look}`);
    });

    test('the overview tells who enforces and what is at risk, live', async () => {
      await stage.visit('Overview');
      const soon = page.getByRole('table', { name: 'Expire within 7 days' });
      await soon.getByRole('link', { name: 'batch 2', exact: true }).waitFor();
      await page.getByRole('table', { name: 'Never expire' }).getByRole('link', { name: 'batch 59' }).waitFor();
      await page.getByText('1 of 1 serving').waitFor();
      await stage.check('overview');
      const { key } = await stage.newKey({ name: 'made elsewhere', expiresIn: '1d' });
      await soon.getByRole('link', { name: 'made elsewhere' }).waitFor();
      await stage.api('DELETE', `/v1/keys/${key.keyId}`);
      await soon.getByRole('link', { name: 'made elsewhere' }).waitFor({ state: 'detached' });
    });

    test('usage is shown by outcome, key, user and reason, and a key that is near its limit', async () => {
      const { key, accessKey } = await stage.newKey({ name: 'busy', userId: 'kate', requestsPerMinute: 4 });
      for (let i = 0; i < 6; i++) await stage.use(accessKey);
      await stage.api('PATCH', `/v1/keys/${key.keyId}?wait=enforced`, { disabled: true });
      for (let i = 0; i < 3; i++) await stage.use(accessKey);
      await stage.visit('Overview');
      const part = page.getByRole('region', { name: 'Requests' });
      const day = page.getByRole('region', { name: 'The last day' });
      await eventually(async () => { // counted by the replica, handed over within seconds, read again within half a minute
        await page.reload();
        if (await page.getByLabel('Admin token').count()) await stage.signIn();
        await day.getByRole('table', { name: 'Most used keys' }).waitFor();
        return (await day.getByRole('table', { name: 'Near their limit' }).getByRole('link', { name: 'busy' }).count()) > 0
          && (await part.getByText(/refused [1-9]/).count()) > 0;
      }, 'the usage', 120);
      const squeezed = async (table) => (await table.innerText()).replace(/\s+/g, ' ');
      assert.match(await squeezed(day.getByRole('table', { name: 'Near their limit' })), /4 of 4/);
      assert.match(await squeezed(day.getByRole('table', { name: 'Most active users' })), /kate/);
      await part.getByRole('table', { name: 'Refused for' }).getByText('disabled', { exact: true }).waitFor();
      assert.equal(await part.locator('rect').count(), 72);
      await stage.picture(`overview-${look}`);
      await part.getByText('As a table').click();
      await stage.check('usage');
      await openKey(key);
      await page.getByRole('region', { name: 'Requests' }).getByText('The dashed line is the limit').waitFor();
      assert.equal(await page.locator('.chart line.limit').count(), 1);
      await page.getByText(/from 127\.0\.0\.0\/24/).waitFor();
      await stage.check('usage of a key');
    });

    test('the audit trail has who, what, before and after, and goes back to the beginning', async () => {
      await stage.visit('Audit');
      const table = page.getByRole('table', { name: 'Changes, newest first' });
      await table.getByText('delete').first().waitFor();
      await stage.check('audit');
      for (let more = 0; await page.getByRole('button', { name: /older: show more/ }).count(); more++) {
        assert.ok(more < 20);
        await page.getByRole('button', { name: /older: show more/ }).click();
        await eventually(async () => !(await page.getByRole('button', { name: /older: show more/ }).isDisabled({ timeout: 100 }).catch(() => false)), 'the older ones');
      }
      await page.getByText('That is the whole log.').waitFor();
      const all = await table.locator('tbody tr').count();
      assert.equal(all, Number((await stage.api('GET', '/v1/changes?limit=1')).position.split('.')[1]));
      await page.getByLabel(/^Among the/).fill('tablet app');
      await eventually(async () => (await table.locator('tbody tr').count()) < all, 'fewer rows');
      assert.match((await table.innerText()).replace(/\s+/g, ' '), /name mobile app → (became )?tablet app/);
      await page.getByLabel(/^Among the/).fill('');
      await stage.api('PATCH', `/v1/keys/${created.keyId}`, { name: 'phone app', reason: 'renamed by the marketing' });
      await page.getByLabel('Key id').fill(created.keyId);
      const first = table.locator('tbody tr').first();
      await first.getByText('“renamed by the marketing”').waitFor();
      await first.getByText('127.0.0.1').waitFor();
      await page.getByText('That is the whole log.').waitFor();
      assert.ok((await table.locator('tbody tr').count()) < all);
      await page.getByLabel('Who').fill('nobody');
      await page.getByText('No change is like that.').waitFor();
      await stage.check('audit, filtered');
      await page.getByLabel('Who').fill('');
      await page.getByLabel('Key id').fill('');
      await page.getByLabel('When').selectOption('7');
      await eventually(async () => (await table.locator('tbody tr').count()) > 50, 'the last 7 days');
      await stage.picture(`audit-${look}`);
    });

    test('a stream that is cut is said, and taken up again', async () => {
      await stage.visit('Replicas');
      await notice('Live');
      const port = new URL(stage.keys.url).port;
      await stage.keys.stop('SIGKILL');
      await notice(/Not live: .* What you see may be old/);
      await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor();
      await stage.check('cut');
      stage.keys.settings.LATCHKEY_KEYS_LISTEN = `127.0.0.1:${port}`;
      await stage.keys.start();
      await notice('Live');
      await page.getByRole('cell', { name: 'serving' }).waitFor();
    });

    test('a viewer sees everything and is offered nothing to change', async () => {
      const admin = page;
      page = stage.page = await stage.context.newPage();
      await stage.signIn({ token: stage.mint('viewer') });
      await page.getByText('(viewer)').waitFor();
      await stage.visit('Keys');
      await page.getByRole('table', { name: /^Access keys/ }).waitFor();
      assert.equal(await button('New key').count(), 0);
      await openKey(created);
      assert.equal(await button('Disable').count(), 0);
      await stage.check('viewer');
      await page.close();
      page = stage.page = admin;
    });

    test('a replica that has stopped is seen, and forgotten', async () => {
      await page.goto(`${stage.keys.url}/#/replicas`);
      await stage.check('replicas');
      await stage.tokens.stop('SIGKILL');
      await page.getByRole('cell', { name: /silent|fenced/ }).waitFor();
      await stage.check('replicas, one silent');
      await page.getByRole('button', { name: /^Forget/ }).click();
      await stage.check('forget');
      await eventually(async () => { // refused until it has been silent for a moment
        if (await dialog().count()) await dialog().getByRole('button', { name: 'Forget' }).click({ timeout: 1000 }).catch(() => {});
        return (await page.getByText('No replica is registered').count()) > 0;
      }, 'it is forgotten', 90);
    });

    test('nothing was asked of another origin, refused by the policy, or said with a token in it', () => {
      assert.deepEqual([...new Set(stage.asked.map((url) => new URL(url).origin).filter((origin) => origin !== 'null'))], [new URL(stage.keys.url).origin]);
      for (const text of [...stage.said, ...stage.asked]) assert.ok(!text.includes(stage.adminToken.split('.')[2]), text);
      const odd = stage.said.filter((text) => !/Failed to load resource/.test(text)); // what Chromium says of each 4xx and of a cut
      assert.deepEqual(odd, []);
    });
  });
}
