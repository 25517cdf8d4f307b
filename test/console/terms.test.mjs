// What keys may do: plans, users, limits, scopes, networks, labels, and the end of a grace; in three looks, held to axe.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Stage, looks } from './stage.mjs';

for (const look of process.env.LATCHKEY_LOOKS?.split(',') ?? Object.keys(looks)) {
  describe(look, () => {
    let stage, page;
    before(async () => {
      stage = await Stage.open(look);
      page = stage.page;
      await stage.signIn();
    });
    after(() => stage?.close());

    const button = (name) => page.getByRole('button', { name, exact: true });
    const dialog = () => page.getByRole('dialog');
    const notice = (text) => page.getByRole('status').filter({ hasText: text }).waitFor();
    const openKey = async ({ keyId }) => {
      await page.goto(`${stage.keys.url}/#/keys/${keyId}`);
      await page.getByText(keyId, { exact: true }).waitFor();
    };
    const keyOf = async ({ keyId }) => stage.api('GET', `/v1/keys/${keyId}`);

    test('a plan is made, given to a key, changed for all, and deleted', async () => {
      await stage.visit('Plans');
      await page.getByText('There is no plan yet.').waitFor();
      await button('New plan').click();
      await page.getByLabel('Name', { exact: true }).fill('free');
      await button('Add a limit').click();
      await page.getByLabel('Requests of limit 1').fill('5');
      await button('Add a limit').click();
      await page.getByLabel('Name of limit 2').fill('monthly');
      await page.getByLabel('Span of limit 2').selectOption('month');
      await page.getByLabel('Counted of limit 2').selectOption('user');
      await page.getByLabel('Mode of limit 2').selectOption('observe');
      await page.getByLabel('Scopes', { exact: true }).selectOption('list');
      await page.getByLabel('Scopes, with a space between').fill('orders:read reports:*');
      await stage.check('new plan');
      await button('Create').click();
      await notice('Created: enforced everywhere');
      await page.locator('td').filter({ hasText: /^free$/ }).waitFor();
      await page.getByText('monthly: 60 in a calendar month, all keys of the user together, observed only').waitFor();
      await stage.check('plans');

      const { key, accessKey } = await stage.newKey({ userId: 'gina', requestsPerMinute: null, plan: 'free' });
      await openKey(key);
      await page.getByText('per-minute: 5 in a minute').waitFor();
      await page.getByText('orders:read reports:*').waitFor();
      assert.equal(await stage.use(accessKey), 200);

      await stage.visit('Plans');
      await page.getByRole('button', { name: 'Edit free' }).click();
      await page.getByLabel('Requests of limit 1').fill('90');
      await page.getByLabel('Scopes', { exact: true }).selectOption('');
      await page.getByRole('button', { name: 'Remove limit 2' }).click();
      await button('Save').click();
      await notice('Saved: enforced everywhere');
      await dialog().waitFor({ state: 'detached' });
      const { effective } = await keyOf(key);
      assert.deepEqual([effective.limits.map(({ requests }) => requests), effective.scopes], [[90], null]);

      await page.getByRole('button', { name: 'Delete free' }).click();
      await page.getByLabel('Type free').fill('free');
      await dialog().getByRole('button', { name: 'Delete' }).click();
      await dialog().getByRole('alert').waitFor(); // a key names it
      await stage.check('a plan in use');
      await button('Cancel').click();
      await stage.api('DELETE', `/v1/keys/${key.keyId}`);
      await page.getByRole('button', { name: 'Delete free' }).click();
      await page.getByLabel('Type free').fill('free');
      await dialog().getByRole('button', { name: 'Delete' }).click();
      await notice('Deleted: enforced everywhere');
      await page.getByText('There is no plan yet.').waitFor();
    });

    test('a user that is disabled is refused with every key', async () => {
      const { key, accessKey } = await stage.newKey({ userId: 'frank/&co', name: 'of frank' });
      await openKey(key);
      await page.getByRole('link', { name: 'frank/&co' }).click();
      await page.getByText('No row: each key has what it and its plan say.').waitFor();
      await page.getByRole('link', { name: 'of frank' }).waitFor();
      await stage.check('a user without a row');
      await button('Make a row').click();
      await stage.check('new user');
      await button('Create').click();
      await notice('Created: enforced everywhere');
      await button('Disable').click();
      await notice('Disabled: enforced everywhere');
      assert.equal(await stage.use(accessKey), 401);
      await page.locator('.page-head').getByText('disabled', { exact: true }).waitFor();
      await stage.check('a disabled user');
      await openKey(key);
      await page.getByText('disabled: refuses every key').waitFor();
      await stage.visit('Users');
      await page.getByRole('button', { name: 'Enable frank/&co' }).click();
      await notice('Enabled: enforced everywhere');
      assert.equal(await stage.use(accessKey), 200);
      await stage.check('users');
      await page.getByRole('button', { name: 'Edit frank/&co' }).click();
      await button('Add a limit').click();
      await page.getByLabel('Requests of limit 1').fill('70');
      await button('Save').click();
      await page.getByText('per-minute: 70 in a minute').waitFor();
      await page.getByRole('button', { name: 'Delete frank/&co' }).click();
      await page.getByLabel('Type frank/&co').fill('frank/&co');
      await dialog().getByRole('button', { name: 'Delete' }).click();
      await page.getByText('No user has a row').waitFor();
    });

    test('a key gets limits, scopes, networks and labels, and is found by its labels', async () => {
      await stage.visit('Keys');
      await button('New key').click();
      await page.getByLabel('User id').last().fill('hugo');
      await page.getByText('Plan, more limits, scopes, networks, labels').click();
      await button('Add a limit').click();
      await page.getByLabel('Name of limit 1').fill('daily');
      await page.getByLabel('Requests of limit 1').fill('1000');
      await page.getByLabel('Networks', { exact: true }).selectOption('list');
      await page.getByLabel('Networks, with a space between').fill('127.0.0.1 2001:db8::/32');
      await dialog().getByLabel('Labels').fill('team=search, env=prod');
      await stage.check('create, with everything');
      await button('Create').click();
      const accessKey = await dialog().getByRole('region', { name: 'access key' }).innerText();
      await button('I have it').click();
      assert.equal(await stage.use(accessKey), 200);
      await page.getByLabel('Labels').fill('team=search,env!=test');
      const [key] = (await stage.api('GET', '/v1/keys?selector=team%3Dsearch')).keys;
      assert.deepEqual(key.limits.map(({ name, requests }) => [name, requests]), [['per-minute', 60], ['daily', 1000]]);
      assert.deepEqual([key.networks, key.labels, key.scopes], [['127.0.0.1/32', '2001:db8::/32'], { team: 'search', env: 'prod' }, null]);
      await openKey(key);
      await page.getByText('daily: 1,000 in a calendar day').first().waitFor();
      await stage.check('key with bounds');

      await button('Edit').click();
      await page.getByText('Plan, more limits, scopes, networks, labels').click();
      await page.getByLabel('Networks, with a space between').fill('192.0.2.0/24');
      await page.getByLabel('Scopes', { exact: true }).selectOption('list');
      await dialog().getByLabel('Labels').fill('');
      await stage.check('edit, with everything');
      await button('Save').click();
      await notice('Saved: enforced everywhere');
      await dialog().waitFor({ state: 'detached' });
      assert.equal(await stage.use(accessKey), 403);
      const saved = await keyOf(key);
      assert.deepEqual([saved.networks, saved.scopes, saved.labels, saved.limits.length], [['192.0.2.0/24'], [], {}, 2]);

      await button('Edit').click();
      await page.getByText('Plan, more limits, scopes, networks, labels').click();
      await page.getByLabel('Requests per minute').fill('');
      await page.getByRole('button', { name: 'Remove limit 1' }).click();
      await page.getByLabel('Unlimited, whatever its plan and its user say').check();
      await button('Save').click();
      await dialog().waitFor({ state: 'detached' });
      await page.getByText('unlimited', { exact: true }).waitFor();
      assert.deepEqual((await keyOf(key)).limits, []);
    });

    test('a grace is ended', async () => {
      const { key, accessKey } = await stage.newKey({ userId: 'ida' });
      await stage.api('POST', `/v1/keys/${key.keyId}/rotate?wait=enforced`, { gracePeriod: '1h' });
      assert.equal(await stage.use(accessKey), 200);
      await openKey(key);
      await page.getByRole('timer').waitFor();
      await button('End the grace').click();
      await notice('Grace ended: enforced everywhere');
      assert.equal(await stage.use(accessKey), 401);
      await page.getByRole('timer').waitFor({ state: 'detached' });
      assert.equal(await button('End the grace').count(), 0);
    });

    test('a viewer is offered nothing to change here either', async () => {
      await stage.api('PUT', '/v1/plans/seen', { limits: [] });
      await stage.api('PUT', '/v1/users/judy', { plan: 'seen' });
      await stage.signIn({ token: stage.mint('viewer') });
      await stage.visit('Plans');
      await page.locator('td').filter({ hasText: /^seen$/ }).waitFor();
      assert.equal(await page.getByRole('button', { name: /New plan|Edit|Delete/ }).count(), 0);
      await page.goto(`${stage.keys.url}/#/users/judy`);
      await page.getByText('This user has no key.').waitFor();
      assert.equal(await page.getByRole('button', { name: /Edit|Disable|Delete|Make a row/ }).count(), 0);
    });
  });
}
