import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { hasBrowser, startBrowserTest, type BrowserTest, type Visit } from '../helpers/browser.ts';
import { until } from '../helpers/events.ts';
import { expectError } from '../helpers/expect-error.ts';
import { createUser } from '../helpers/invite.ts';
import { startRedis, type TestRedis } from '../helpers/redis.ts';
import { newTenant, platformToken } from '../helpers/tenant.ts';
import { newUser } from '../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('users and searches in the console', { skip: !hasBrowser, timeout: 120_000 }, () => {
    let redis: TestRedis;
    let test: BrowserTest;
    let superadmin: Visit;

    before(async () => {
        if (!hasBrowser) return;
        redis = await startRedis();
        test = await startBrowserTest({ redisPath: redis.path, worker: true });
        superadmin = await test.visit();
        await superadmin.signIn();
    });

    after(async () => {
        await test?.stop();
        await redis?.stop();
    });

    /** What has changed is found about a second later. */
    const untilFound = async (path: string) => {
        const token = await platformToken(test.app);
        const { pathname } = new URL(path, test.url);
        const list = pathname.endsWith('users') ? 'users' : 'tenants';
        const find = async () => (await test.app.call('GET', path, { token })).body.data[list].length === 1;
        await until(find, `${path} finds one`);
    };

    it('find a tenant by the beginning of its domain', async () => {
        const { page, open } = superadmin;
        const { domain } = await newTenant(test.app);
        const { domain: other } = await newTenant(test.app);
        const q = domain.slice(0, 12);
        await untilFound(`/api/admin/tenants?q=${q}`);
        await open('Tenants');
        await page.getByLabel('Name or domain').fill(q);
        await page.keyboard.press('Enter');
        await page.waitForURL(/q=/);
        await page.getByText(other).waitFor({ state: 'detached' });
        await page.getByText(domain).waitFor();
        expect(await page.getByRole('rowheader').count()).to.equal(1);
        await page.getByLabel('Status').selectOption('suspended');
        await page.getByRole('button', { name: 'Search' }).click();
        await page.getByText('No tenant is like that.').waitFor();
        await page.goBack();
        await page.getByText(domain).waitFor();
        expect(await page.getByLabel('Name or domain').inputValue()).to.equal(q);
    });

    it('find a user of any tenant by the beginning of the e-mail address', async () => {
        const { page, open } = superadmin;
        const ada = await newTenant(test.app);
        const { email } = (await createUser(ada)).body.data.user;
        const q = email.slice(0, 12);
        await untilFound(`/api/admin/users?q=${q}`);
        await open('Users');
        await page.getByLabel('E-mail or name').fill(q);
        await page.getByRole('button', { name: 'Search' }).click();
        await page.waitForURL(/q=/);
        await page.getByText(email).waitFor();
        await page.getByRole('link', { name: 'Test' }).click();
        await page.getByText(ada.tenantId).waitFor();
    });

    it('suspend a user, whose requests are refused from then on, and let him in again', async () => {
        const { page } = superadmin;
        const { tenantId } = await newTenant(test.app);
        const bob = await newUser(test.app, tenantId, 'user');
        await page.goto(`${test.url}#/tenants/${tenantId}`);
        await page.locator('main').getByRole('link', { name: 'Users' }).click();
        const row = page.getByRole('row').filter({ hasText: bob.email });
        await row.getByRole('button', { name: 'Suspend User' }).click();
        await page.getByRole('dialog').getByLabel('Reason').fill('Abuse was reported');
        await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
        await row.getByText('suspended').waitFor();
        expectError(await bob.call('GET', '/api/auth/me'), 'USER_DISABLED');
        await row.getByRole('button', { name: 'Activate User' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Activate' }).click();
        await row.getByText('active', { exact: true }).waitFor();
        const payload = { email: bob.email, password: bob.password, tenantId };
        expect((await test.app.call('POST', '/api/auth/login', { payload })).status).to.equal(200);
    });

    it('show the support role the buttons that it may press', async () => {
        const { tenantId } = await newTenant(test.app);
        const { page, signIn } = await test.visit();
        await signIn(await newUser(test.app, 'platform', 'support'));
        await page.goto(`${test.url}#/users?tenantId=${tenantId}`);
        await page.getByRole('button', { name: /^Suspend / }).waitFor();
        await page.goto(`${test.url}#/tenants`);
        await page.getByRole('button', { name: 'Search' }).waitFor();
        expect(await page.getByRole('button', { name: 'Create a tenant' }).count()).to.equal(0);
    });
});
