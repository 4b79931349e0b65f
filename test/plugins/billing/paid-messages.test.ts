import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { expectSound } from '../../helpers/billing.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { setCredit } from '../../helpers/credit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { readUsage } from '../../helpers/model-usage.ts';
import { amountsOf, chargesOf, holdsOf, newPayer, told } from '../../helpers/paid-calls.ts';
import { cut, hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { chunk, END, remoteModels } from '../../helpers/remote-model.ts';
import { openStream } from '../../helpers/stream.ts';
import { messagesPath, newThread, type ReceivedEvent } from '../../helpers/thread.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

/** A micro-dollar for a token in, ten for a token out. */
const PRICES = priceOf({ input: 1_000_000, output: 10_000_000 });
const TEN_TIMES = priceOf({ input: 10_000_000, output: 100_000_000 });

describe('a message that is paid from credits', () => {
    let redis: TestRedis;
    let provider: Provider;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        redis = await startRedis();
        provider = await startProvider();
        const config = remoteModels(provider, { prices: PRICES }, { prices: TEN_TIMES });
        [one, two] = await startReplicas({ listen: true, redisPath: redis.path, config });
    });

    beforeEach(async () => {
        ada = await newPayer(one, dollars(1));
        thread = await newThread(ada);
        provider.requests.length = 0;
        provider.answer({ steps: [chunk('Fine'), told({ input: 10, output: 5 })] });
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
    const open = (payload: object = {}) =>
        openStream({
            url: one.server.info.uri + path(),
            token: ada.accessToken,
            payload: { content: 'Hi', ...payload },
        });
    const credits = () => one.server.plugins.billing.credits(ada.tenantId);
    const messages = async () => (await ada.call('GET', path())).body.data.messages;
    const isToken = ({ event }: ReceivedEvent): boolean => event === 'token';

    it('costs what its provider tells, whole and streamed, and holds nothing afterwards', async () => {
        // 10 × 1 + 5 × 10 = 60.
        const { body } = await send();
        await (await open()).rest();
        const { requestId } = body;
        const charges = await chargesOf(one.redis, ada.tenantId);
        expect(charges.map(({ amount }) => amount)).to.equal(['-60', '-60']);
        expect(charges[0]).to.include({
            type: 'model_usage',
            userId: ada.userId,
            modelId: 'remote',
            threadId: thread,
            messageId: body.data.assistantMessage.id,
            requestId,
            priceVersion: 'test',
            balance: '999940',
        });
        expect(charges[0]).to.not.include('isEstimated');
        expect(await credits()).to.include({ balance: 999_880n, held: 0n, spent: 120n });
        expect(await expectSound(one.redis, ada.tenantId)).to.equal(999_880n);
    });

    it('takes as many round trips as one that costs nothing', async () => {
        await send();
        const commands = await countCommands(one.redis, () => send());
        expect(new Set(commands)).to.equal(new Set(['evalsha', 'zrem']));
        expect(commands.length).to.be.within(9, 11);
    });

    it('is refused without credit, and leaves nothing behind', async () => {
        await setCredit(one, ada.tenantId, 0n);
        const { details } = expectError(await send(), 'INSUFFICIENT_CREDITS');
        expect(details).to.equal({ availableMicros: 0 });
        expect(await messages()).to.equal([]);
        expect(provider.requests).to.equal([]);
        expect((await readUsage(ada)).total.calls).to.equal(0);
        expect(await one.redis.zcard('tenant:{platform}:answers')).to.equal(0);
        const left = await one.redis.keys(`tenant:{${ada.tenantId}}:answer:*`);
        expect(left).to.equal([]);
    });

    it('says when to come back where calls on their way hold the credit', async () => {
        const middle = hold();
        provider.answer({ steps: [chunk('Fine'), middle, told({ input: 10, output: 5 })] });
        // Two tokens in: 5 of text and marks, doubled, and 64 out: about 650.
        await setCredit(one, ada.tenantId, 1_000n);
        const first = send();
        await middle.reached;
        const refused = await send();
        expectError(refused, 'INSUFFICIENT_CREDITS');
        expect(Number(refused.headers['retry-after'])).to.be.above(0);
        middle.release();
        expect((await first).status).to.equal(200);
        expect((await send()).status).to.equal(200);
        expect(await amountsOf(one.redis, ada.tenantId)).to.equal([60, 60]);
    });

    it('has no more output than can be paid, and is refused where that is less than 64 tokens', async () => {
        await setCredit(one, ada.tenantId, 2_000n);
        await send();
        // "Hello" is estimated at 6 tokens and may have 12: (2,000 - 12) / 10 = 198.8.
        expect(provider.requests[0]?.body.max_tokens).to.equal(198);
        await setCredit(one, ada.tenantId, 652n);
        await ada.call('POST', messagesPath(await newThread(ada), 'remote'), { payload: { content: 'Hello' } });
        expect(provider.requests[1]?.body.max_tokens).to.equal(64);
        await setCredit(one, ada.tenantId, 651n);
        const other = messagesPath(await newThread(ada), 'remote');
        expectError(await ada.call('POST', other, { payload: { content: 'Hello' } }), 'INSUFFICIENT_CREDITS');
        expect(provider.requests).to.have.length(2);
    });

    it('costs nothing with a key of the user’s own, on a local model and on the sandbox', async () => {
        await setCredit(one, ada.tenantId, 0n);
        expect((await send({}, 'sandbox')).status).to.equal(200);
        provider.answer({ steps: ['{"message":{"content":"Fine"},"done":true}\n'] });
        expect((await send({}, 'local')).status).to.equal(200);
        provider.answer(({ method }) => (method === 'GET' ? { steps: ['{"data":[]}'] } : { steps: [END] }));
        await ada.call('POST', '/api/profile/api-keys', { payload: { openai: 'a-key-of-ada' } });
        expect((await send()).status).to.equal(200);
        expect(provider.requests.at(-1)?.headers.authorization).to.equal('Bearer a-key-of-ada');
        expect(provider.requests.at(-1)?.body.max_tokens).to.be.undefined();
        expect(await amountsOf(one.redis, ada.tenantId)).to.equal([]);
    });

    it('costs nothing when the provider refuses it', async () => {
        provider.answer({ status: 400, steps: ['{"error":{"message":"No"}}'] });
        expectError(await send(), 'PROVIDER_REFUSED');
        expect(await amountsOf(one.redis, ada.tenantId)).to.equal([]);
        expect(await holdsOf(one.redis, ada.tenantId)).to.equal([]);
    });

    it('costs what came, by estimate, when the provider fails in the middle', async () => {
        provider.answer({ steps: [chunk('Eight by'), cut] });
        expectError(await send(), 'PROVIDER_ERROR');
        const [charge] = await chargesOf(one.redis, ada.tenantId);
        // "Hello" and its marks are 6 tokens, 8 bytes are 2: 6 + 2 × 10.
        expect(charge).to.include({ amount: '-26', isEstimated: '1' });
    });

    it('costs what came when its client goes away, and what the provider tells when it ends without him', async () => {
        for (const [onDisconnect, amount, isEstimated] of [
            // "Hi" and its marks are 5 tokens, 40 bytes are 10: 5 + 10 × 10.
            ['cancel', '-105', '1'],
            // 7 + 9 × 10.
            ['finish', '-97', undefined],
        ] as const) {
            thread = await newThread(ada);
            const middle = hold();
            provider.answer({ steps: [chunk('a'.repeat(40)), middle, told({ input: 7, output: 9 })] });
            const stream = await open({ onDisconnect });
            await stream.until(isToken);
            const calls = (await chargesOf(one.redis, ada.tenantId)).length;
            stream.leave();
            if (onDisconnect === 'cancel') await provider.requests.at(-1)?.aborted;
            middle.release();
            let charges = await chargesOf(one.redis, ada.tenantId);
            while (charges.length === calls) charges = await chargesOf(one.redis, ada.tenantId);
            expect(charges.at(-1)?.amount, onDisconnect).to.equal(amount);
            expect(charges.at(-1)?.isEstimated, onDisconnect).to.equal(isEstimated);
        }
        expect((await credits()).held).to.equal(0n);
    });

    it('is paid once when its thread is deleted in the middle', async () => {
        const middle = hold();
        provider.answer({
            steps: [chunk('a'.repeat(40)), middle, chunk('b'.repeat(40)), told({ input: 7, output: 20 })],
        });
        const stream = await open();
        await stream.until(isToken);
        expect((await ada.call('DELETE', `/api/threads/${thread}`)).status).to.equal(200);
        middle.release();
        await stream.rest();
        // 5 + 20 × 10, or as the provider told: 7 + 20 × 10, where that was there before it was noticed.
        const [charge, ...others] = await chargesOf(one.redis, ada.tenantId);
        expect(others).to.equal([]);
        expect(['-205', '-207']).to.include(charge?.amount);
        expect((await credits()).held).to.equal(0n);
    });

    it('is charged for the model that answers', async () => {
        provider.answer(({ body }) =>
            body.model === 'remote'
                ? { status: 401, steps: ['{"error":{"message":"No such key"}}'] }
                : { steps: [chunk('Fine'), told({ input: 10, output: 5 })] },
        );
        expect((await send({ fallbackModels: ['second'] })).status).to.equal(200);
        // 10 × 10 + 5 × 100.
        const [charge] = await chargesOf(one.redis, ada.tenantId);
        expect(charge).to.include({ modelId: 'second', amount: '-600' });
        // 64 tokens of the first can be paid, not of the second: it is not asked.
        await setCredit(one, ada.tenantId, 2_000n);
        provider.requests.length = 0;
        thread = await newThread(ada);
        expectError(await send({ fallbackModels: ['second'] }), 'PROVIDER_KEY_INVALID');
        expect(provider.requests.map(({ body }) => body.model)).to.equal(['remote']);
        expect((await credits()).balance).to.equal(2_000n);
    });

    it('is answered anew for its price, and a refusal does not stand in the way of the next try', async () => {
        const { id } = (await send()).body.data.assistantMessage;
        const regenerate = () => ada.call('POST', `${path()}/${id}/regenerate`, { payload: {} });
        await setCredit(one, ada.tenantId, 100n);
        expectError(await regenerate(), 'INSUFFICIENT_CREDITS');
        await setCredit(one, ada.tenantId, dollars(1));
        expect((await regenerate()).status).to.equal(200);
        expect(await amountsOf(one.redis, ada.tenantId)).to.equal([60, 60]);
        expect(await messages()).to.have.length(2);
    });

    it('is held for at what the dearest of its models costs', async () => {
        const middle = hold();
        provider.answer({ steps: [chunk('Fine'), middle, told({ input: 10, output: 5 })] });
        const answer = send({ fallbackModels: ['second'] });
        await middle.reached;
        // "Hello" may have 12 tokens, 2,048 are to come: 12 × 10 + 2,048 × 100.
        expect((await credits()).held).to.equal(204_920n);
        middle.release();
        expect((await answer).status).to.equal(200);
        expect(await credits()).to.include({ held: 0n, balance: 999_940n });
    });
});
