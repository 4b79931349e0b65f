import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { hasBrowser, keepPicture, startBrowserTest, type BrowserTest, type Visit } from '../helpers/browser.ts';
import { askForTenant, createTenant } from '../helpers/console-tenants.ts';
import { expectError } from '../helpers/expect-error.ts';
import { newTenant } from '../helpers/tenant.ts';
import { newUser } from '../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const HOSTILE = '<img src=x onerror="alert(1)"><b>bold</b>';
const PASSWORD = 'seven quiet otters by the lake';

describe('tenants in the console', { skip: !hasBrowser, timeout: 120_000 }, () => {
    let test: BrowserTest;
    let superadmin: Visit;

    before(async () => {
        if (!hasBrowser) return;
        test = await startBrowserTest();
        superadmin = await test.visit();
        await superadmin.signIn();
    });

    after(() => test?.stop());

    it('are created with an invitation that is shown once and can be accepted', async () => {
        const { page } = superadmin;
        const { domain, invitation } = await createTenant(page, 'Acme');
        await page.getByText(domain, { exact: true }).waitFor();
        expect(await page.locator('main').innerText()).to.include(['active', 'premium']);
        expect(await page.content()).to.not.include(invitation);
        const payload = { token: invitation, password: PASSWORD };
        const accepted = await test.app.call('POST', '/api/auth/invitation/accept', { payload });
        expect(accepted.status).to.equal(200);
    });

    it('show what the API refuses in the dialog, and keep what was written', async () => {
        const { page } = superadmin;
        const { domain } = await newTenant(test.app);
        await askForTenant(page, { name: 'Twice', domain });
        const dialog = page.getByRole('dialog');
        const alert = dialog.getByRole('alert');
        await alert.waitFor();
        expect(await alert.innerText()).to.match(/DOMAIN_TAKEN[^]*req_/);
        expect(await dialog.getByLabel('Name').inputValue()).to.equal('Twice');
        await dialog.getByRole('button', { name: 'Cancel' }).click();
        await dialog.waitFor({ state: 'detached' });
    });

    it('are suspended with a reason: their tokens are refused from then on, until they are activated', async () => {
        const { page } = superadmin;
        const tenant = await newTenant(test.app);
        await page.goto(`${test.url}#/tenants/${tenant.tenantId}`);
        await page.getByRole('button', { name: 'Suspend' }).click();
        const dialog = page.getByRole('dialog', { name: 'Suspend Test?' });
        await dialog.getByRole('button', { name: 'Suspend' }).click();
        expect((await tenant.call('GET', '/api/auth/me')).status, 'without a reason').to.equal(200);
        await dialog.getByLabel('Reason').fill('Payment overdue');
        await dialog.getByRole('button', { name: 'Suspend' }).click();
        await page.getByText('Test is suspended.').waitFor();
        expectError(await tenant.call('GET', '/api/auth/me'), 'TENANT_SUSPENDED');
        expect(await page.locator('main').innerText()).to.include('Payment overdue');
        await keepPicture(page, 'console-suspended');
        await page.getByRole('button', { name: 'Activate' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Activate' }).click();
        await page.getByText('Test is active.').waitFor();
        expect((await tenant.call('GET', '/api/auth/me')).status).to.equal(200);
    });

    it('have names that are text, whatever is written in them', async () => {
        const { page, complaints } = superadmin;
        await createTenant(page, HOSTILE);
        await page.getByRole('heading', { name: HOSTILE, level: 1 }).waitFor();
        await page.getByRole('button', { name: 'Suspend' }).click();
        const dialog = page.getByRole('dialog', { name: `Suspend ${HOSTILE}?` });
        await dialog.getByLabel('Reason').fill(HOSTILE);
        await dialog.getByRole('button', { name: 'Suspend' }).click();
        await page.getByText(`${HOSTILE} is suspended.`).waitFor();
        await page.getByRole('link', { name: 'Tenants', exact: true }).first().click();
        await page.getByRole('link', { name: HOSTILE }).waitFor();
        expect(await page.locator('img, main b, [onerror]').count()).to.equal(0);
        expect(complaints).to.equal([]);
    });

    it('come page by page', async () => {
        const { page, signIn } = await test.visit();
        await Promise.all(Array.from({ length: 21 }, () => newTenant(test.app)));
        await signIn();
        await page.getByRole('link', { name: 'Tenants' }).click();
        const rows = page.getByRole('rowheader');
        await page.getByText('Page 1', { exact: false }).waitFor();
        expect(await rows.count()).to.equal(20);
        const first = await page.locator('tbody').innerText();
        await page.getByRole('button', { name: 'Next' }).click();
        await page.getByText('Page 2', { exact: false }).waitFor();
        expect(await page.locator('tbody').innerText()).to.not.equal(first);
        await page.getByRole('button', { name: 'Previous' }).click();
        await page.getByText('Page 1', { exact: false }).waitFor();
        expect(await page.locator('tbody').innerText()).to.equal(first);
    });

    it('are not to be changed by the finance role, which sees no button for that', async () => {
        const { tenantId } = await newTenant(test.app);
        const { page, signIn } = await test.visit();
        await signIn(await newUser(test.app, 'platform', 'finance'));
        expect(await page.getByRole('navigation', { name: 'Sections' }).innerText()).to.not.include('Users');
        await page.goto(`${test.url}#/tenants/${tenantId}`);
        await page.getByText(tenantId).waitFor();
        expect(await page.locator('main').getByRole('button').count()).to.equal(0);
        await page.goto(`${test.url}#/tenants`);
        await page.getByRole('table', { name: 'Tenants' }).waitFor();
        expect(await page.getByRole('button', { name: 'Create a tenant' }).count()).to.equal(0);
    });

    it('that are not there are a failure with its code', async () => {
        const { page } = superadmin;
        await page.goto(`${test.url}#/tenants/tenant_00000000000000000000000000`);
        await page.getByRole('alert').waitFor();
        expect(await page.getByRole('alert').innerText()).to.include('TENANT_NOT_FOUND');
    });
});
