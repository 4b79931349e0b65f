import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PLATFORM_ADMIN } from '../helpers/app.ts';
import { hasBrowser, keepPicture, startBrowserTest, type BrowserTest } from '../helpers/browser.ts';
import { newTenant } from '../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const FIVE_MINUTES = 300_000;

describe('signing in to the console', { skip: !hasBrowser, timeout: 120_000 }, () => {
    let test: BrowserTest;

    before(async () => {
        if (hasBrowser) test = await startBrowserTest();
    });

    after(() => test?.stop());

    it('refuses a wrong password with the code and the id of the request', async () => {
        const { page } = await test.visit();
        await page.goto(test.url);
        await page.getByLabel('E-mail').fill(PLATFORM_ADMIN.email);
        await page.getByLabel('Password').fill('not the password');
        await page.getByRole('button', { name: 'Sign in' }).click();
        const alert = page.getByRole('alert');
        await alert.waitFor();
        const text = await alert.innerText();
        expect(text).to.include('INVALID_CREDENTIALS');
        const [id] = /req_\w+/.exec(text) ?? [];
        expect(test.app.logs.filter(({ requestId }) => requestId === id)).to.not.be.empty();
        expect(await page.getByLabel('Password').inputValue()).to.equal('');
        expect(await page.getByRole('navigation').count()).to.equal(0);
        await keepPicture(page, 'console-refused');
    });

    it('tells a user of a tenant that the console is not for such accounts', async () => {
        const { page } = await test.visit();
        const { email, password } = await newTenant(test.app);
        await page.goto(test.url);
        await page.getByLabel('E-mail').fill(email);
        await page.getByLabel('Password').fill(password);
        await page.getByRole('button', { name: 'Sign in' }).click();
        expect(await page.getByRole('alert').innerText()).to.include('accounts of tenants do not work');
    });

    it('tells so whoever brings the session of a tenant’s user, and lets him sign out', async () => {
        const { page } = await test.visit();
        const { accessToken, email } = await newTenant(test.app);
        await page.context().addCookies([{ name: 'access', value: accessToken, url: test.url }]);
        await page.goto(test.url);
        await page.getByRole('heading', { name: 'Not for your account' }).waitFor();
        expect(await page.locator('main').innerText()).to.include(email);
        expect(await page.getByRole('navigation').count()).to.equal(0);
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByLabel('Password').waitFor();
        const me = await test.app.call('GET', '/api/auth/me', { token: accessToken });
        expect(me.status).to.equal(401);
    });

    it('takes no more than the keyboard', async () => {
        const { page } = await test.visit();
        await page.goto(test.url);
        await page.getByLabel('E-mail').waitFor();
        await page.keyboard.type(PLATFORM_ADMIN.email);
        await page.keyboard.press('Tab');
        await page.keyboard.type(PLATFORM_ADMIN.password);
        await page.keyboard.press('Enter');
        const first = await page.getByRole('navigation').getByRole('link').first().innerText();
        await page.getByRole('heading', { name: first, level: 1 }).waitFor();
        expect(await page.evaluate('document.activeElement.outerHTML')).to.equal(`<h1 tabindex="-1">${first}</h1>`);
        await page.locator('.skip-link').focus();
        await page.keyboard.press('Enter');
        expect(await page.evaluate('document.activeElement.id')).to.equal('main');
        expect(new URL(page.url()).hash).to.equal('');
    });

    it('keeps the tokens out of reach of scripts, and ends the session', async () => {
        const { page, signIn } = await test.visit();
        await signIn();
        const cookies = await page.context().cookies(test.url);
        const token = cookies.find(({ name }) => name === 'access')?.value ?? '';
        expect(cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Strict')).to.be.true();
        expect(await page.evaluate('[document.cookie, localStorage.length, sessionStorage.length]')).to.equal([
            '',
            0,
            0,
        ]);
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByText('You are signed out.').waitFor();
        expect(await page.context().cookies(test.url)).to.equal([]);
        expect((await test.app.call('GET', '/api/auth/me', { token })).status).to.equal(401);
    });

    it('goes on by itself when the access token has aged', async () => {
        const { page, signIn } = await test.visit();
        await signIn();
        await test.app.advance(test.app.config.ACCESS_TOKEN_TTL * 1000 + FIVE_MINUTES);
        const answers: string[] = [];
        page.on('response', (response) => {
            const { pathname } = new URL(response.url());
            if (pathname.startsWith('/api/auth/')) answers.push(`${response.status()} ${pathname}`);
        });
        await page.reload();
        await page.getByRole('button', { name: 'Sign out' }).waitFor();
        expect(answers).to.equal(['401 /api/auth/me', '200 /api/auth/refresh', '200 /api/auth/me']);
    });

    it('is asked for again when the session is over', async () => {
        const { page, signIn } = await test.visit();
        await signIn();
        const cookies = await page.context().cookies(test.url);
        const token = cookies.find(({ name }) => name === 'access')?.value ?? '';
        await test.app.call('POST', '/api/auth/logout', { token });
        await page.getByRole('link', { name: 'Tenants' }).click();
        await page.getByText('Your session is over: sign in again.').waitFor();
        expect(await page.getByRole('button', { name: 'Sign out' }).count()).to.equal(0);
    });
});
