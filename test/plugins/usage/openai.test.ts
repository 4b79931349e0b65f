import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { closeCircuits } from '../../helpers/circuits.ts';
import { setPlan } from '../../helpers/limits.ts';
import { TOLD, usageOf } from '../../helpers/model-usage.ts';
import { openAiClient } from '../../helpers/openai.ts';
import { hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

import type OpenAI from 'openai';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const messages = [{ role: 'user' as const, content: 'Hello' }];

describe('the counters of a user’s calls by way of /v1', () => {
    let provider: Provider;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;
    let clients: OpenAI[];

    before(async () => {
        provider = await startProvider();
        [one, two] = await startReplicas({ listen: true, config: remoteModels(provider) });
    });

    beforeEach(async () => {
        await closeCircuits(one.server.plugins.models);
        ada = await newTenant(one);
        const { secret } = await newKey(ada, { scopes: ['model:call'] });
        clients = [openAiClient(one, secret), openAiClient(two, secret)];
        provider.requests.length = 0;
        provider.answer({ steps: [chunk('Fine'), TOLD] });
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await provider.stop();
    });

    const ask = async (n = 0) => clients[n % 2]?.chat.completions.create({ model: 'remote', messages });

    it('add up what the provider told, whole and streamed', async () => {
        await ask();
        const stream = await clients[1]?.chat.completions.create({ model: 'remote', messages, stream: true });
        for await (const _part of stream ?? []);
        const { models } = await usageOf(ada, 2);
        const tokens = { inputFresh: 12, cacheRead: 8, cacheWrite: 0, output: 10, reasoning: 4 };
        expect(models).to.have.length(1);
        expect(models[0]).to.include({ modelId: 'remote', calls: 2, errors: 0, estimatedCalls: 0, ...tokens });
        expect(models[0].averageDurationMs).to.be.a.number();
        expect(models[0].averageTimeToFirstTokenMs).to.be.a.number();
    });

    it('count a refusal as an error that used nothing', async () => {
        provider.answer({ status: 400, steps: ['{"error":{"message":"No"}}'] });
        await expect(ask()).to.reject();
        const { total } = await usageOf(ada, 1);
        expect(total).to.include({
            calls: 1,
            errors: 1,
            errorsByCategory: { validation: 1 },
            inputFresh: 0,
            output: 0,
        });
    });

    it('count what a call used whose client went away', async () => {
        provider.answer({ steps: [chunk('One'), hold(), TOLD] });
        const stream = await clients[0]?.chat.completions.create({ model: 'remote', messages, stream: true });
        for await (const _part of stream ?? []) break;
        await provider.requests[0]?.aborted;
        const { total } = await usageOf(ada, 1);
        expect(total).to.include({ calls: 1, cancelled: 1, errors: 0, estimatedCalls: 1, output: 1 });
        expect(Number(total.inputFresh)).to.be.above(0);
    });

    it('count nothing of a call that was never made', async () => {
        await expect(Promise.resolve(clients[0]?.chat.completions.create({ model: 'none', messages }))).to.reject();
        await ask();
        expect((await usageOf(ada, 1)).total.calls).to.equal(1);
    });

    it('add up exactly for 50 at once on two replicas, 20 of them in threads', async () => {
        await setPlan(one, ada.tenantId, 'enterprise');
        const path = messagesPath(await newThread(ada), 'remote');
        const send = async (n: number) => {
            const payload = { content: 'Hello' };
            const { status } = await (n % 2 === 0 ? one : two).call('POST', path, { payload, token: ada.accessToken });
            expect(status).to.equal(200);
        };
        await Promise.all(Array.from({ length: 50 }, (_, n) => (n < 20 ? send(n) : ask(n))));
        const { models } = await usageOf(ada, 50);
        expect(models[0]).to.include({ calls: 50, inputFresh: 300, cacheRead: 200, output: 250, reasoning: 100 });
        expect(models[0]).to.include({ errors: 0, cancelled: 0, estimatedCalls: 0 });
    });
});
