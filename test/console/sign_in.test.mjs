// Sign-in at an OpenID provider, over real HTTP: what proves that an answer is to this question, and what stays behind.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Provider } from './provider.mjs';
import { Stage } from './stage.mjs';

for (const look of ['dark', 'phone']) {
  describe(look, () => {
    let stage, page, provider;
    before(async () => {
      provider = await new Provider().start();
      stage = await Stage.open(look, { LATCHKEY_ADMIN_OIDC_ISSUER: provider.issuer, LATCHKEY_ADMIN_AUDIENCE: 'latchkey', LATCHKEY_ADMIN_OIDC_CLIENT_ID: 'console' });
      page = stage.page;
    });
    after(async () => {
      await stage?.close();
      provider.stop();
    });

    const signIn = async (wrong = {}) => {
      provider.next = wrong;
      await page.goto(`${stage.keys.url}/#/keys`);
      await page.reload();
      await page.getByRole('button', { name: /^Sign in at 127\.0\.0\.1/ }).click();
    };
    const refused = (text) => page.getByRole('alert').filter({ hasText: text }).waitFor();

    test('the policy names the issuer\'s origin and nobody else', async () => {
      const policy = (await fetch(stage.keys.url)).headers.get('content-security-policy');
      assert.match(policy, new RegExp(`connect-src 'self' ${provider.origin}; frame-ancestors 'none'`));
      const docs = (await fetch(`${stage.keys.url}/docs`)).headers.get('content-security-policy');
      assert.match(docs, /connect-src 'self'; frame-ancestors/);
    });

    test('signs in, comes back to the page that was asked for, and leaves nothing behind', async () => {
      await page.goto(`${stage.keys.url}/#/keys`);
      await page.getByRole('button', { name: /^Sign in at/ }).waitFor();
      await stage.check('sign-in with a provider');
      await signIn();
      await page.getByRole('heading', { level: 1, name: 'Keys' }).waitFor();
      await page.getByText('ada', { exact: true }).waitFor();
      assert.equal(page.url(), `${stage.keys.url}/#/keys`);
      assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
      assert.deepEqual(await stage.context.cookies(), []);
      for (const url of stage.asked) assert.ok(!/access_token|id_token|eyJ/.test(url), url);
    });

    for (const [what, wrong, text] of [
      ['an answer to another question', { answer: { state: 'x' } }, 'was not begun here'],
      ['an answer by somebody else', { answer: { iss: 'https://evil.example' } }, 'is another one'],
      ['an id token of another sign-in', { id: { nonce: 'x' } }, 'answers another question'],
      ['an id token for another client', { id: { aud: 'other' } }, 'answers another question'],
      ['an access token for another service', { access: { aud: 'other' } }, /not valid|audience|accepted/i],
      ['a refusal', { error: 'access_denied' }, 'access_denied'],
    ]) {
      test(`refuses ${what}`, async () => {
        await signIn(wrong);
        await refused(text);
        assert.ok(!page.url().includes('?'), page.url());
        assert.equal(await page.evaluate(() => sessionStorage.length), 0);
        await stage.check(`refused: ${what}`);
      });
    }

    test('an answer that nobody asked for is refused, and asks nobody', async () => {
      provider.asked.length = 0;
      await page.goto(`${stage.keys.url}/?code=stolen&state=`);
      await refused('was not begun here');
      assert.deepEqual(provider.asked, []);
    });
  });
}
