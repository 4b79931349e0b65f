import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectSound } from '../../helpers/billing.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { setCredit } from '../../helpers/credit.ts';
import { chargesOf, holdsOf, newPayer, told } from '../../helpers/paid-calls.ts';
import { hold, startProvider, type Hold, type Provider, type Step } from '../../helpers/provider.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

/** A text of so many tokens, by estimate. */
const tokens = (count: number, word = 'abcd'): string => chunk(word.repeat(count));
const thoughts = (count: number): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { reasoning_content: 'abcd'.repeat(count) } }] })}\n\n`;

describe('a long answer', () => {
    let provider: Provider;
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        provider = await startProvider();
        // Nothing for what goes in, ten micro-dollars for a token that comes out.
        const prices = priceOf({ input: 0, output: 10_000_000 });
        app = await startApp({ listen: true, config: remoteModels(provider, { prices }) });
    });

    beforeEach(async () => {
        ada = await newPayer(app, dollars(1));
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const credits = () => app.server.plugins.billing.credits(ada.tenantId);
    /** Waits until so much is held: the call asks for more while it goes on. */
    const untilHeld = async (amount: bigint) => {
        let { held } = await credits();
        for (let tries = 0; held !== amount && tries < 200; tries++) {
            await sleep(10);
            ({ held } = await credits());
        }
        expect(held).to.equal(amount);
    };

    /** Both doors: what each says of how an answer ended. */
    const doors = {
        thread: async () => {
            const path = messagesPath(await newThread(ada), 'remote');
            return async () => {
                const { body } = await ada.call('POST', path, { payload: { content: 'Hello' } });
                const { content, finishReason, usage } = body.data.assistantMessage;
                return { content, finish: finishReason, output: usage.output };
            };
        },
        completion: () =>
            Promise.resolve(async () => {
                const payload = { model: 'remote', messages: [{ role: 'user', content: 'Hello' }] };
                const { body } = await ada.call('POST', '/v1/chat/completions', { payload });
                const [{ message, finish_reason: finish }] = body.choices;
                return { content: message.content, finish, output: body.usage.completion_tokens };
            }),
    };

    for (const [door, prepare] of Object.entries(doors)) {
        const begin = async (steps: (Step | Hold)[]) => {
            provider.requests.length = 0;
            provider.answer({ steps });
            return { answer: (await prepare())() };
        };

        it(`in a ${door} holds 2,048 tokens at first, and more as it goes on`, async () => {
            const [first, second] = [hold(), hold()];
            const { answer } = await begin([
                tokens(1),
                first,
                tokens(1_199),
                second,
                told({ input: 6, output: 1_500 }),
            ]);
            await first.reached;
            await untilHeld(20_480n);
            first.release();
            await second.reached;
            // 1,200 tokens are there: fewer than 1,024 of the 2,048 are left. 1,200 + 2,048 = 3,248.
            await untilHeld(32_480n);
            second.release();
            expect((await answer).finish).to.equal('stop');
            expect(await credits()).to.include({ balance: 985_000n, held: 0n });
        });

        it(`in a ${door} ends with what came when the credits run out in the middle`, async () => {
            await setCredit(app, ada.tenantId, 30_000n);
            const [first, second, third] = [hold(), hold(), hold()];
            const steps = [
                tokens(1),
                first,
                tokens(1_499),
                second,
                tokens(548),
                third,
                told({ input: 6, output: 9_999 }),
            ];
            const { answer } = await begin(steps);
            await first.reached;
            expect(provider.requests[0]?.body.max_tokens).to.equal(3_000);
            // Somebody else takes the rest.
            await setCredit(app, ada.tenantId, 20_480n);
            first.release();
            await second.reached;
            second.release();
            // 2,048 tokens are all that was held: 20,480.
            await provider.requests[0]?.aborted;
            const { content, finish, output } = await answer;
            expect(content).to.equal('abcd'.repeat(2_048));
            expect({ finish, output }).to.equal({ finish: 'length', output: 2_048 });
            expect(await expectSound(app.redis, ada.tenantId)).to.equal(0n);
            const [charge] = await chargesOf(app.redis, ada.tenantId);
            expect(charge).to.include({ amount: '-20480', isEstimated: '1' }).and.not.include('unpaid');
        });

        it(`in a ${door} goes on when credit is added before that`, async () => {
            await setCredit(app, ada.tenantId, 30_000n);
            const [first, second, third] = [hold(), hold(), hold()];
            const steps = [
                tokens(1),
                first,
                tokens(1_499),
                second,
                tokens(1_100),
                third,
                told({ input: 6, output: 2_600 }),
            ];
            const { answer } = await begin(steps);
            await first.reached;
            await setCredit(app, ada.tenantId, 25_000n);
            first.release();
            await second.reached;
            // All there is, though it would like to have 35,480.
            await untilHeld(25_000n);
            await setCredit(app, ada.tenantId, 100_000n);
            second.release();
            // 2,600 are more than the 2,500 that were held: it is asked for once more. 2,600 + 2,048 = 4,648.
            await untilHeld(46_480n);
            third.release();
            expect(await answer).to.include({ finish: 'stop', output: 2_600 });
            expect(await expectSound(app.redis, ada.tenantId)).to.equal(74_000n);
        });
    }

    it('never holds more than the output that it may have', async () => {
        const middle = hold();
        provider.answer({ steps: [tokens(90), middle, told({ input: 6, output: 100 }, 'length')] });
        const payload = {
            model: 'remote',
            messages: [{ role: 'user', content: 'Hello' }],
            max_tokens: 100,
            stream: true,
        };
        const answer = ada.call('POST', '/v1/chat/completions', { payload });
        await middle.reached;
        const [id] = await holdsOf(app.redis, ada.tenantId);
        const key = `${tenantKey(ada.tenantId, 'credits')}:hold:${id}`;
        // Noted after the output came, and after more would have been asked for.
        while ((await app.redis.hget(key, 'used')) !== '900') await sleep(10);
        expect((await credits()).held).to.equal(1_000n);
        middle.release();
        expect((await answer).status).to.equal(200);
        expect(await credits()).to.include({ balance: 999_000n, held: 0n });
    });

    it('counts thoughts as the output that they are', async () => {
        await setCredit(app, ada.tenantId, 20_480n);
        const end = hold();
        provider.requests.length = 0;
        provider.answer({ steps: [tokens(1), thoughts(2_100), end] });
        const answer = (await doors.thread())();
        expect(await answer).to.include({ content: 'abcd', finish: 'length', output: 2_101 });
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(0n);
        // 21,010 were used, 20,480 were there.
        const [charge] = await chargesOf(app.redis, ada.tenantId);
        expect(charge).to.include({ amount: '-20480', unpaid: '530' });
    });
});
