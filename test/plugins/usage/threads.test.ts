import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { closeCircuits } from '../../helpers/circuits.ts';
import { readUsage, TOLD, usageOf } from '../../helpers/model-usage.ts';
import { hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';
import { openStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread, type ReceivedEvent } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const isToken = ({ event }: ReceivedEvent): boolean => event === 'token';

describe('the counters of a user’s calls in threads', () => {
    let redis: TestRedis;
    let provider: Provider;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        // Of its own: answers of other tests would be closed by a clock that is ahead.
        redis = await startRedis();
        provider = await startProvider();
        [one, two] = await startReplicas({ listen: true, redisPath: redis.path, config: remoteModels(provider) });
    });

    beforeEach(async () => {
        await closeCircuits(one.server.plugins.models);
        ada = await newTenant(one);
        thread = await newThread(ada);
        provider.requests.length = 0;
        provider.answer({ steps: [chunk('Fine'), TOLD] });
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await provider.stop();
        await redis.stop();
    });

    const path = (model = 'remote') => messagesPath(thread, model);
    const send = (payload: object = {}, model?: string) =>
        ada.call('POST', path(model), { payload: { content: 'Hello', ...payload } });
    const open = () =>
        openStream({
            url: `${one.server.info.uri}${path()}`,
            token: ada.accessToken,
            payload: { content: 'Hello' },
        });

    it('are all at zero, with no averages, before the first', async () => {
        const usage = await readUsage(ada);
        expect(usage).to.include({ unit: 'day', models: [], periods: [] });
        expect(usage.total).to.include({ calls: 0, errors: 0, errorsByCategory: {}, output: 0 });
        expect(usage.total).to.include({ averageDurationMs: null, averageTimeToFirstTokenMs: null });
    });

    it('add up what the provider told of answers, whole and streamed, by model and by day', async () => {
        await send();
        await (await open()).rest();
        await send({}, 'second');
        const usage = await readUsage(ada);
        const tokens = { inputFresh: 6, cacheRead: 4, cacheWrite: 0, output: 5, reasoning: 2 };
        expect(usage.models.map(({ modelId, calls }: Record<string, unknown>) => [modelId, calls])).to.equal([
            ['remote', 2],
            ['second', 1],
        ]);
        expect(usage.models[1]).to.include({ ...tokens, errors: 0, cancelled: 0, estimatedCalls: 0 });
        expect(usage.total).to.include({ calls: 3, inputFresh: 18, cacheRead: 12, output: 15, reasoning: 6 });
        expect(Number(usage.total.averageDurationMs)).to.be.at.least(usage.total.averageTimeToFirstTokenMs);
        expect(usage.total.averageTimeToFirstTokenMs).to.be.a.number();
        expect(usage.periods).to.have.length(1);
        expect(usage.periods[0]).to.equal({ period: usage.to, models: usage.models });
        expect(usage.to).to.match(/^\d{4}-\d\d-\d\d$/);
    });

    it('count how long the model took, and for the model that answered in place of another', async () => {
        const point = hold();
        provider.answer(({ body }) =>
            body.model === 'second' ? { steps: [100, chunk('Fine'), point, TOLD] } : { status: 401 },
        );
        const sending = send({ fallbackModels: ['second'] });
        await point.reached;
        await sleep(100);
        point.release();
        await sending;
        const { models } = await readUsage(ada);
        expect(models).to.have.length(1);
        expect(models[0]).to.include({ modelId: 'second', calls: 1, errors: 0 });
        const { averageDurationMs: whole, averageTimeToFirstTokenMs: first } = models[0];
        expect(Number(first)).to.be.at.least(90);
        expect(whole - first).to.be.at.least(90);
    });

    it('count a refusal as an error of its category that used nothing', async () => {
        for (const status of [401, 400]) {
            provider.answer({ status });
            await send();
        }
        provider.answer({ status: 429, headers: { 'retry-after': '600' } });
        await send();
        const { total } = await readUsage(ada);
        expect(total).to.include({ calls: 3, errors: 3, inputFresh: 0, output: 0, estimatedCalls: 0, cancelled: 0 });
        expect(total.errorsByCategory).to.equal({ validation: 2, rate_limit: 1 });
        expect(total.averageDurationMs).to.be.a.number();
        expect(total.averageTimeToFirstTokenMs).to.be.null();
    });

    it('count what an answer used that failed in the middle', async () => {
        provider.answer({ steps: [chunk('One two three'), 'data: {"cho\n\n'] });
        await send();
        const { total } = await readUsage(ada);
        expect(total).to.include({ calls: 1, errors: 1, estimatedCalls: 1, output: 4 });
        expect(Number(total.inputFresh)).to.be.above(0);
    });

    it('count what an answer used that was cancelled, once also for ten at once', async () => {
        provider.answer({ steps: [chunk('One'), hold(), TOLD] });
        const stream = await open();
        const [{ data }] = (await stream.until(isToken)) as [ReceivedEvent];
        const cancel = (app: TestApp) =>
            app.call('POST', `${path()}/${data.messageId}/cancel`, { token: ada.accessToken });
        await Promise.all(Array.from({ length: 10 }, (_, n) => cancel(n % 2 === 0 ? one : two)));
        await stream.rest();
        const { total } = await readUsage(ada);
        expect(total).to.include({ calls: 1, cancelled: 1, errors: 0, estimatedCalls: 1, output: 1 });
        expect(Number(total.inputFresh)).to.be.above(0);
    });

    it('count what an answer used whose thread was deleted in the middle', async () => {
        provider.answer({
            steps: [
                chunk('One'),
                ...Array<(string | number)[]>(100)
                    .fill([20, chunk(' more')])
                    .flat(),
            ],
        });
        const stream = await open();
        await stream.until(isToken);
        await two.call('DELETE', `/api/threads/${thread}`, { token: ada.accessToken });
        await provider.requests[0]?.aborted;
        const { total } = await usageOf(ada, 1);
        expect(total).to.include({ calls: 1, errors: 1, estimatedCalls: 1 });
        expect(Number(total.output)).to.be.above(0);
        stream.leave();
    });

    it('count an answer once whose process died, by what it had sent out', async () => {
        const rest = hold();
        provider.answer({ steps: [chunk('One two'), rest, TOLD] });
        const stream = await open();
        const [{ data }] = (await stream.until(isToken)) as [ReceivedEvent];
        const answer = `tenant:{${ada.tenantId}}:generation:${data.messageId}`;
        while ((await one.redis.hget(answer, 'state')) !== 'ended') {
            // As if its process had not renewed the lease, until the other one takes it over.
            await one.redis.zadd('tenant:{platform}:answers', 'XX', 1, `${ada.tenantId}/${data.messageId}`);
            await sleep(50);
        }
        const there = { call: (method: string, url: string) => two.call(method, url, { token: ada.accessToken }) };
        const { total } = await readUsage(there);
        expect(total).to.include({
            calls: 1,
            errors: 1,
            errorsByCategory: { service_unavailable: 1 },
            estimatedCalls: 1,
            output: 2,
        });
        expect(total).to.include({ averageDurationMs: null, averageTimeToFirstTokenMs: null });
        // It was not dead after all.
        rest.release();
        await stream.rest();
        expect((await readUsage(there)).total).to.equal(total);
        const { message } = (await there.call('GET', `${path()}/${data.messageId}`)).body.data;
        expect(message.status).to.equal('interrupted');
    });

    it('are each user’s own', async () => {
        await send();
        const bob = await newUser(one, ada.tenantId, 'user');
        const eve = await newTenant(two);
        for (const other of [bob, eve]) expect((await readUsage(other)).total.calls).to.equal(0);
    });
});
