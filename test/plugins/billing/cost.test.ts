import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { costOf, isFree, payableOutput } from '../../../plugins/billing/cost.ts';
import { dollars } from '../../../src/money.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { amountsOf, chargesOf, newPayer, told } from '../../helpers/paid-calls.ts';
import { hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

import type { ModelPrice, Usage } from '../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** 3 $ in and 15 $ out per million tokens, a tenth of the input from the cache, a quarter more into it. */
const TABLE = { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite5m: 3_750_000 };
const LONG = { input: 6_000_000, output: 22_500_000, cacheRead: 600_000, cacheWrite5m: 7_500_000 };
const price = (more: Partial<ModelPrice> = {}): ModelPrice => ({
    validFrom: null,
    validUntil: null,
    microsPerMillion: TABLE,
    ...more,
});
const used = (usage: Partial<Usage>): Usage => ({
    inputFresh: 0,
    cacheRead: 0,
    cacheWrite: 0,
    output: 0,
    reasoning: 0,
    isEstimated: false,
    ...usage,
});

describe('costOf()', () => {
    it('charges each kind of token by its own price', () => {
        // 1,000 × 3 = 3,000; 2,000 × 0.3 = 600; 400 × 3.75 = 1,500; 500 × 15 = 7,500 micro-dollars.
        const usage = used({ inputFresh: 1_000, cacheRead: 2_000, cacheWrite: 400, output: 500 });
        expect(costOf(price(), usage)).to.equal({ micros: 12_600n, isEstimated: false });
    });

    it('counts thoughts once, as the output that they are a part of', () => {
        // 100 × 15 = 1,500.
        expect(costOf(price(), used({ output: 100, reasoning: 80 })).micros).to.equal(1_500n);
    });

    it('charges the whole of a long request by the other table, cached tokens among those that make it long', () => {
        const long = price({ aboveInputTokens: { tokens: 200_000, microsPerMillion: LONG } });
        // 150,000 × 3 = 450,000; 50,000 × 0.3 = 15,000; 100 × 15 = 1,500.
        const atTheLimit = used({ inputFresh: 150_000, cacheRead: 50_000, output: 100 });
        expect(costOf(long, atTheLimit).micros).to.equal(466_500n);
        // 150,000 × 6 = 900,000; 50,001 × 0.6 = 30,000.6; 100 × 22.5 = 2,250: 932,250.6, rounded up.
        const above = used({ inputFresh: 150_000, cacheRead: 50_001, output: 100 });
        expect(costOf(long, above).micros).to.equal(932_251n);
    });

    it('charges what no cache price is known of as input, and marks it', () => {
        const plain = price({ microsPerMillion: { input: 3_000_000, output: 15_000_000, cacheWrite5m: null } });
        // (10 + 20 + 30) × 3 = 180.
        const cached = used({ inputFresh: 10, cacheRead: 20, cacheWrite: 30 });
        expect(costOf(plain, cached)).to.equal({ micros: 180n, isEstimated: true });
        // Nothing of the unknown kind was used: 10 × 3 = 30.
        expect(costOf(plain, used({ inputFresh: 10 }))).to.equal({ micros: 30n, isEstimated: false });
    });

    it('rounds up once, not for each kind', () => {
        // 0.1 + 0.05 + 0.4 = 0.55: one micro-dollar, where each by itself would make three.
        const cheap = price({ microsPerMillion: { input: 100_000, cacheRead: 50_000, output: 400_000 } });
        expect(costOf(cheap, used({ inputFresh: 1, cacheRead: 1, output: 1 })).micros).to.equal(1n);
        // 10 × 0.1 = 1, exactly.
        expect(costOf(cheap, used({ inputFresh: 10 })).micros).to.equal(1n);
        expect(costOf(cheap, used({})).micros).to.equal(0n);
    });

    it('loses no digit of a large sum', () => {
        // 999,999,999 × 14,999,999 = 14,999,998,985,000,001 pico-dollars: past 2^53, and 1 past a whole micro-dollar.
        const odd = price({ microsPerMillion: { input: 0, output: 14_999_999 } });
        expect(costOf(odd, used({ output: 999_999_999 })).micros).to.equal(14_999_998_986n);
    });
});

describe('isFree()', () => {
    const nothing = { input: 0, output: 0 };

    it('is true where every price is zero, and of no other', () => {
        expect(isFree(price({ microsPerMillion: nothing }))).to.be.true();
        expect(isFree(price({ microsPerMillion: { ...nothing, cacheRead: 1 } }))).to.be.false();
        expect(isFree(price())).to.be.false();
    });

    it('is false of a price that nobody told us, and of one that long requests have to pay', () => {
        expect(isFree(price({ microsPerMillion: { ...nothing, cacheWrite5m: null } }))).to.be.false();
        const aboveInputTokens = { tokens: 200_000, microsPerMillion: TABLE };
        expect(isFree(price({ microsPerMillion: nothing, aboveInputTokens }))).to.be.false();
    });
});

describe('payableOutput()', () => {
    it('is what is left beside the input, in whole tokens', () => {
        // 1,000 - 100 × 3 = 700; 700 / 15 = 46.7.
        expect(payableOutput(price(), 100, 1_000n)).to.equal(46);
        expect(payableOutput(price(), 100, 299n)).to.equal(0);
        expect(payableOutput(price({ microsPerMillion: { input: 3, output: 0 } }), 100, 1n)).to.be.null();
    });
});

describe('the cost of a call', () => {
    let redis: TestRedis;
    let provider: Provider;
    let app: TestApp;
    const day = (at: number) => new Date(at).toISOString().slice(0, 10);
    const midnight = Math.ceil((Date.now() + 3_600_000) / 86_400_000) * 86_400_000;

    before(async () => {
        // Of its own: its time goes past midnight.
        redis = await startRedis();
        provider = await startProvider();
        const dear = { input: 30_000_000, output: 150_000_000 };
        const prices = [
            ...priceOf(TABLE).map((one) => ({ ...one, validUntil: day(midnight - 1) })),
            ...priceOf(dear).map((one) => ({ ...one, validFrom: day(midnight) })),
        ];
        app = await startApp({ redisPath: redis.path, config: remoteModels(provider, { prices }) });
        await app.advance(midnight - Date.now() - 120_000);
    });

    after(async () => {
        await app.stop();
        await provider.stop();
        await redis.stop();
    });

    it('goes by the tokens that the provider tells, those of its cache too', async () => {
        const ada = await newPayer(app, dollars(1));
        provider.answer({ steps: [chunk('Fine'), told({ input: 3_400, cached: 2_000, written: 400, output: 500 })] });
        const path = messagesPath(await newThread(ada), 'remote');
        expect((await ada.call('POST', path, { payload: { content: 'Hello' } })).status).to.equal(200);
        // As above: 3,000 + 600 + 1,500 + 7,500.
        expect(await amountsOf(app.redis, ada.tenantId)).to.equal([12_600]);
    });

    it('goes by the price at its beginning, also when that changes before its end', async () => {
        const ada = await newPayer(app, dollars(1));
        const middle = hold();
        provider.answer({ steps: [chunk('Fine'), middle, told({ input: 1_000, output: 100 })] });
        const path = messagesPath(await newThread(ada), 'remote');
        const first = ada.call('POST', path, { payload: { content: 'Hello' } });
        await middle.reached;
        await app.advance(180_000);
        middle.release();
        expect((await first).status).to.equal(200);
        provider.answer({ steps: [chunk('Fine'), told({ input: 1_000, output: 100 })] });
        await ada.call('POST', path, { payload: { content: 'Hello' } });
        // 1,000 × 3 + 100 × 15 = 4,500, though it ended after midnight; then 1,000 × 30 + 100 × 150 = 45,000.
        const charges = await chargesOf(app.redis, ada.tenantId);
        expect(charges.map(({ amount }) => amount)).to.equal(['-4500', '-45000']);
        expect(charges.map(({ priceFrom }) => priceFrom)).to.equal(['', day(midnight)]);
    });
});
