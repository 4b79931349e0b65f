import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { hasBrowser, keepPicture, startBrowserTest, type BrowserTest, type Visit } from '../helpers/browser.ts';
import { createTenant } from '../helpers/console-tenants.ts';
import { expectError } from '../helpers/expect-error.ts';
import { startRedis, type TestRedis } from '../helpers/redis.ts';
import { rollUp } from '../helpers/reports.ts';
import { newUser } from '../helpers/user.ts';

import type { Locator, Page } from 'playwright-core';
import type { TestApp } from '../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const REQUESTS = 7;

describe('the dashboard of the console', { skip: !hasBrowser, timeout: 120_000 }, () => {
    let redis: TestRedis;
    let test: BrowserTest;
    let superadmin: Visit;

    before(async () => {
        if (!hasBrowser) return;
        // Its figures are those of all tenants.
        redis = await startRedis();
        test = await startBrowserTest({ redisPath: redis.path });
        superadmin = await test.visit();
        await superadmin.signIn();
    });

    after(async () => {
        await test?.stop();
        await redis?.stop();
    });

    it('shows the traffic that a new tenant just made, until it is suspended', async () => {
        const { page } = superadmin;
        const ada = await newAdmin(test.app, await createTenant(page, 'Acme'));
        await rollUp(test.app);
        const before = await lastDay(superadmin);
        for (let n = 0; n < REQUESTS; n++) await ada.call('GET', '/api/models');
        for (let n = 0; n < REQUESTS; n++) await ada.call('GET', '/api/threads/none');
        const payload = { model: 'sandbox', messages: [{ role: 'user', content: 'Hello' }] };
        expect((await ada.call('POST', '/v1/chat/completions', { payload })).status).to.equal(200);
        await rollUp(test.app);
        const now = await lastDay(superadmin);
        // What the console itself asks is counted too.
        expect(now.answered - before.answered).to.be.between(REQUESTS, REQUESTS + 40);
        expect(now.errors - before.errors).to.equal(REQUESTS);
        expect(await figureOf(page, 'Model calls today')).to.equal('1');
        expect(await figureOf(page, 'Tenants')).to.equal('1');
        expect(await page.getByRole('table', { name: 'Models by calls' }).innerText()).to.include('sandbox');
        expect(await page.getByRole('table', { name: 'Errors today' }).innerText()).to.include('VALIDATION_ERROR');
        await keepPicture(page, 'console-dashboard-traffic');
        await superadmin.open('Tenants');
        await page.getByRole('link', { name: 'Acme' }).click();
        await page.getByRole('button', { name: 'Suspend' }).click();
        await page.getByLabel('Reason').fill('Payment overdue');
        await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
        await page.getByText('Acme is suspended.').waitFor();
        expectError(await ada.call('GET', '/api/models'), 'TENANT_SUSPENDED');
    });

    it('draws a bar as high as its figure', async () => {
        const { page } = superadmin;
        const { hours } = await lastDay(superadmin);
        // Of an hour with both; the newest stands first in the table, and last in the chart.
        const at = hours.findIndex(({ errors }) => errors > 0);
        const { answered = NaN, errors = NaN } = hours[at] ?? {};
        const chart = page.getByRole('figure').filter({ hasText: 'Requests of the last 24 hours' });
        const bars = chart
            .locator('.column')
            .nth(hours.length - 1 - at)
            .locator('.bar');
        const ratio = (await heightOf(bars.first())) / (await heightOf(bars.last()));
        expect(ratio / (answered / errors)).to.be.between(0.95, 1.05);
        expect(await chart.locator('.column').count()).to.equal(24);
    });

    it('is shown to the finance role too', async () => {
        const { page, signIn } = await test.visit();
        await signIn(await newUser(test.app, 'platform', 'finance'));
        await page.getByRole('heading', { name: 'Revenue of the last 30 days' }).waitFor();
        expect(await page.getByRole('alert').count()).to.equal(0);
    });
});

/** The admin of a tenant that the console has made, who has accepted the invitation. */
async function newAdmin(app: TestApp, { domain, invitation }: { domain: string; invitation: string }) {
    const password = 'seven quiet otters by the lake';
    const accepted = await app.call('POST', '/api/auth/invitation/accept', {
        payload: { token: invitation, password },
    });
    if (accepted.status !== 200) throw new Error(`Not accepted: ${accepted.text}`);
    const { body } = await app.call('POST', '/api/auth/login', { payload: { email: `ada@${domain}`, password } });
    const token = String(body.data.accessToken);
    return { call: (method: string, url: string, options = {}) => app.call(method, url, { token, ...options }) };
}

/** What the table below the chart comes to, and its hours, the newest first. */
async function lastDay({ page, open }: Visit) {
    await page.reload();
    await open('Dashboard');
    const chart = page.getByRole('figure').filter({ hasText: 'Requests of the last 24 hours' });
    await chart.getByText('Figures').click();
    const cells = (await chart.getByRole('cell').allInnerTexts()).map(Number);
    const hours = Array.from({ length: cells.length / 2 }, (_, at) => ({
        answered: cells[2 * at] ?? NaN,
        errors: cells[2 * at + 1] ?? NaN,
    }));
    const sum = (name: 'answered' | 'errors') => hours.reduce((all, hour) => all + hour[name], 0);
    return { answered: sum('answered'), errors: sum('errors'), hours };
}

/** The figure of a tile. */
const figureOf = (page: Page, title: string): Promise<string> =>
    page
        .locator('.tile')
        .filter({ has: page.getByText(title, { exact: true }) })
        .locator('strong')
        .innerText();

const heightOf = async (bar: Locator): Promise<number> => Number(await bar.getAttribute('height'));
