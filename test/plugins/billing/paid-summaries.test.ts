import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectSound } from '../../helpers/billing.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { setCredit } from '../../helpers/credit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { readUsage, usageOf } from '../../helpers/model-usage.ts';
import { chargesOf, holdsOf, newPayer, told } from '../../helpers/paid-calls.ts';
import { cut, startProvider, type Provider, type Step } from '../../helpers/provider.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';
import { asksForSummary, summarizePath, summaryPath } from '../../helpers/summary.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('a summary that is paid from credits', () => {
    let provider: Provider;
    let app: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        provider = await startProvider();
        // A micro-dollar for a token in, ten for a token out.
        const prices = priceOf({ input: 1_000_000, output: 10_000_000 });
        app = await startApp({ config: remoteModels(provider, { prices }) });
    });

    beforeEach(async () => {
        ada = await newPayer(app, dollars(1));
        thread = await newThread(ada);
        summariesAre(chunk('A greeting'), told({ input: 200, output: 30 }));
        await ada.call('POST', messagesPath(thread, 'remote'), { payload: { content: 'Hello' } });
        provider.requests.length = 0;
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const summariesAre = (...steps: Step[]) =>
        provider.answer((request) => ({
            steps: asksForSummary(request) ? steps : [chunk('Fine'), told({ input: 10, output: 5 })],
        }));
    const summarize = () => ada.call('POST', summarizePath(thread, 'remote'));
    const summary = async () => (await ada.call('GET', summaryPath(thread, 'remote'))).status;
    /** Without that of the message. */
    const charges = async () => (await chargesOf(app.redis, ada.tenantId)).slice(1);
    const inTurn = () =>
        app.server.plugins.threads.summarizeInTurn({
            tenantId: ada.tenantId,
            userId: ada.userId,
            threadId: thread,
            modelId: 'remote',
            requestId: 'req_of_the_test',
        });

    it('costs what its provider tells, and is counted', async () => {
        expect((await summarize()).status).to.equal(200);
        const [charge, ...others] = await charges();
        expect(others).to.equal([]);
        // 200 × 1 + 30 × 10.
        expect(charge).to.include({ amount: '-500', modelId: 'remote', threadId: thread, userId: ada.userId });
        expect(charge).to.not.include('messageId');
        expect((await usageOf(ada, 2)).total).to.include({ calls: 2, inputFresh: 210, output: 35 });
        expect(await holdsOf(app.redis, ada.tenantId)).to.equal([]);
        await expectSound(app.redis, ada.tenantId);
    });

    it('is refused without credit where it is asked for', async () => {
        await setCredit(app, ada.tenantId, 10n);
        expectError(await summarize(), 'INSUFFICIENT_CREDITS');
        expect(provider.requests).to.equal([]);
        expect(await summary()).to.equal(404);
    });

    it('is left undone without credit where it comes by itself, and made when there is some', async () => {
        await ada.call('PATCH', '/api/profile', { payload: { settings: { summarizationInterval: 5 } } });
        for (const content of ['Two', 'Three']) {
            await ada.call('POST', messagesPath(thread, 'remote'), { payload: { content } });
        }
        const before = (await charges()).length;
        await setCredit(app, ada.tenantId, 10n);
        app.logs.length = 0;
        provider.requests.length = 0;
        await inTurn();
        expect(provider.requests).to.equal([]);
        expect(app.logs.filter(({ level }) => level === 'warn' || Number(level) >= 40)).to.equal([]);
        expect(await summary()).to.equal(404);
        await setCredit(app, ada.tenantId, dollars(1));
        await inTurn();
        expect(await summary()).to.equal(200);
        expect((await charges()).slice(before).map(({ amount }) => amount)).to.equal(['-500']);
    });

    it('costs what came when it fails in the middle, and nothing when it is refused', async () => {
        provider.answer({ status: 401, steps: ['{"error":{"message":"No such key"}}'] });
        expectError(await summarize(), 'PROVIDER_KEY_INVALID');
        expect(await charges()).to.equal([]);
        summariesAre(chunk('a'.repeat(40)), cut);
        expectError(await summarize(), 'PROVIDER_ERROR');
        const [charge] = await charges();
        const usage = JSON.parse(charge?.usage ?? '{}');
        expect(usage).to.include({ output: 10, isEstimated: true });
        expect(charge).to.include({ amount: String(-(usage.inputFresh + 100)), isEstimated: '1' });
        expect(await holdsOf(app.redis, ada.tenantId)).to.equal([]);
        expect((await usageOf(ada, 3)).total).to.include({ calls: 3, errors: 2 });
    });

    it('counts nothing where there is nothing to summarise', async () => {
        thread = await newThread(ada);
        expectError(await summarize(), 'NOTHING_TO_SUMMARIZE');
        expect(await charges()).to.equal([]);
        expect((await readUsage(ada)).total.calls).to.equal(1);
    });
});
