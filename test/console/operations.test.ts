import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openJobs } from '../../src/jobs/jobs.ts';
import { startJobWorker } from '../../src/jobs/worker.ts';
import { hasBrowser, startBrowserTest, type BrowserTest, type Visit } from '../helpers/browser.ts';
import { expectError } from '../helpers/expect-error.ts';
import { openQueue } from '../helpers/jobs.ts';
import { testCall, testModel } from '../helpers/model.ts';
import { startProvider, type Provider } from '../helpers/provider.ts';
import { startRedis, type TestRedis } from '../helpers/redis.ts';
import { silentLogger } from '../helpers/store.ts';
import { newTenant, platformToken } from '../helpers/tenant.ts';
import { newUser } from '../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('operations in the console', { skip: !hasBrowser, timeout: 120_000 }, () => {
    let redis: TestRedis;
    let provider: Provider;
    let test: BrowserTest;
    let superadmin: Visit;

    before(async () => {
        if (!hasBrowser) return;
        redis = await startRedis();
        provider = await startProvider();
        const config = { OPENAI_BASE_URL: `${provider.url}/v1`, PROVIDER_KEYS_SHARED: { openai: 'sk-of-the-test' } };
        test = await startBrowserTest({ redisPath: redis.path, config });
        superadmin = await test.visit();
        await superadmin.signIn();
    });

    after(async () => {
        await test?.stop();
        await provider?.stop();
        await redis?.stop();
    });

    it('change the configuration, which holds at once', async () => {
        const { page, open } = superadmin;
        const register = () => test.app.call('POST', '/api/auth/register', { payload: {} });
        await open('Configuration');
        expectError(await register(), 'VALIDATION_ERROR');
        await page.getByLabel('Maintenance', { exact: true }).selectOption('on');
        await page.getByLabel('Message during maintenance').fill('Back at 14:00 UTC');
        const request = page.waitForRequest((sent) => sent.method() === 'PATCH');
        await page.getByRole('button', { name: 'Save' }).click();
        await page.locator('.notice').waitFor();
        const maintenance = { isOn: true, message: 'Back at 14:00 UTC' };
        expect((await request).postDataJSON(), 'what was not changed').to.equal({ maintenance });
        const { details } = expectError(await register(), 'MAINTENANCE');
        expect(details).to.equal({ message: 'Back at 14:00 UTC' });
        await open('Breakers');
        await open('Configuration');
        expect(await page.getByLabel('Message during maintenance').inputValue()).to.equal('Back at 14:00 UTC');
        await page.getByLabel('Maintenance', { exact: true }).selectOption('off');
        await page.getByRole('button', { name: 'Save' }).click();
        await page.locator('.notice').nth(1).waitFor();
        expectError(await register(), 'VALIDATION_ERROR');
    });

    it('do not change a configuration that somebody else has changed meanwhile', async () => {
        const { page, open } = superadmin;
        await open('Configuration');
        const token = await platformToken(test.app);
        const payload = { limits: { free: { tunnels: 4 } } };
        expect((await test.app.call('PATCH', '/api/admin/config', { token, payload })).status).to.equal(200);
        await page.getByRole('button', { name: 'Save' }).click();
        await page.getByRole('alert').waitFor();
        expect(await page.getByRole('alert').innerText()).to.include('REVISION_MISMATCH');
        await open('Breakers');
        await open('Configuration');
        const row = page.getByRole('row').filter({ hasText: 'tunnels' });
        expect(await row.getByRole('cell').allInnerTexts()).to.equal(['4', '50', 'no limit']);
    });

    it('close a breaker that has opened', async () => {
        const { page, open } = superadmin;
        provider.answer({ status: 503, headers: { 'retry-after': '20' } });
        const { models } = test.app.server.plugins;
        const call = () => models.open([testCall(testModel())], new AbortController().signal);
        for (let n = 0; n < 5; n++) await call().catch(() => undefined);
        await test.app.advance(1_000);
        await open('Breakers');
        const row = page.getByRole('row').filter({ hasText: `openai:${provider.url}` });
        await row.getByText('open', { exact: true }).waitFor();
        await row.getByRole('button', { name: `Reset openai:${provider.url}` }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click();
        await row.getByText('closed').waitFor();
        expect(await row.getByRole('button').count()).to.equal(0);
    });

    it('show why a job has failed, and have it tried again', async () => {
        const { page, open } = superadmin;
        const { tenantId } = await newTenant(test.app);
        await failJob(redis, tenantId);
        await open('Jobs');
        const row = page.getByRole('row').filter({ hasText: 'break-down' });
        expect(await row.innerText()).to.include(['The disk is full', tenantId]);
        await row.getByRole('button', { name: 'Try break-down again' }).click();
        await page.getByText('No job is failed.').waitFor();
        await page.getByRole('link', { name: /^waiting/ }).click();
        await row.waitFor();
        expect(await row.getByRole('button').count()).to.equal(0);
    });

    it('show what every process does at this moment', async () => {
        const { page, open } = superadmin;
        await test.app.server.plugins.metrics.announce();
        await open('Live');
        const row = page.getByRole('table', { name: 'Processes' }).getByRole('row').nth(1);
        expect(await row.innerText()).to.include(['all', test.app.config.VERSION, ' ms', ' MB']);
        expect(await page.locator('.tile').filter({ hasText: 'Processes' }).innerText()).to.match(/\b1$/);
    });

    it('show the finance role no button of theirs', async () => {
        const { page, signIn, open } = await test.visit();
        const { tenantId } = await newTenant(test.app);
        await failJob(redis, tenantId);
        await signIn(await newUser(test.app, 'platform', 'finance'));
        await open('Configuration');
        expect(await page.locator('main').innerText()).to.include('Registration');
        expect(await page.locator('main').getByRole('button').count()).to.equal(0);
        await open('Jobs');
        await page.getByText('The disk is full').first().waitFor();
        expect(await page.locator('main').getByRole('button').count()).to.equal(0);
    });
});

/** Has a job of the tenant fail for good. */
async function failJob({ path }: TestRedis, tenantId: string): Promise<void> {
    const jobs = openJobs({ path }, silentLogger);
    const queue = await openQueue(path);
    await jobs.add('break-down', { tenantId }, { attempts: 1 });
    const fail = async () => {
        throw new Error('The disk is full');
    };
    const worker = await startJobWorker({ path }, { 'break-down': fail }, silentLogger);
    await queue.settled();
    await worker.close(AbortSignal.timeout(5_000));
    await Promise.all([jobs.close(), queue.close()]);
}
