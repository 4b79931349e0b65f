import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { expectSound } from '../../helpers/billing.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { setLimits } from '../../helpers/limits.ts';
import { expectOpenAiError } from '../../helpers/openai.ts';
import { amountsOf, holdsOf, newPayer, told } from '../../helpers/paid-calls.ts';
import { startProvider, type Provider } from '../../helpers/provider.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const CALLS = 3_000;
/** Of 1,000 tokens of 7 micro-dollars each. */
const PAYABLE = 1_428;
const COST = 7_000;
/** Of the rest not even 64 tokens can be paid, with which a call would be content. */
const REST = 64 * 7 - 1;

describe('3,000 calls at once against a balance that pays 1,428 of them', () => {
    let redis: TestRedis;
    let provider: Provider;
    let apps: [TestApp, TestApp];

    before(async () => {
        redis = await startRedis();
        provider = await startProvider({ steps: [chunk('Fine'), told({ input: 5, output: 1_000 })] });
        const prices = priceOf({ input: 0, output: 7_000_000 });
        const patient = { MODEL_FIRST_TOKEN_TIMEOUT: 600, LOG_LEVEL: 'error' as const };
        const config = { ...remoteModels(provider, { prices }), ...patient };
        apps = await startReplicas({ redisPath: redis.path, config });
        // On a busy machine all of them together may take longer than a request may.
        for (const { settings } of apps.flatMap(({ server }) => server.table())) {
            settings.timeout = { ...settings.timeout, server: false };
        }
    });

    after(async () => {
        for (const app of apps) await app.stop();
        await provider.stop();
        await redis.stop();
    });

    it('run 1,428 times, and never overspend', { timeout: 240_000 }, async () => {
        const [one, two] = apps;
        const ada = await newPayer(one, BigInt(PAYABLE * COST + REST));
        await setLimits(one, ada.tenantId, { requestsPerMinute: 100_000, concurrentGenerations: CALLS });
        const payload = { model: 'remote', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 1_000 };
        let isOver = false;
        const watched = (async () => {
            for (let looks = 1; ; looks++) {
                await expectSound(one.redis, ada.tenantId);
                if (isOver) return looks;
            }
        })();
        const callTimes = (times: number) =>
            Promise.all(
                Array.from({ length: times }, (_, n) =>
                    (n % 2 === 0 ? one : two).call('POST', '/v1/chat/completions', { token: ada.accessToken, payload }),
                ),
            );
        const answers = await callTimes(CALLS);
        const isPaid = ({ status }: Answer) => status === 200;
        // Some may not have got a connection to the provider in time, on a busy machine: what they held is free again.
        while (answers.some(({ status }) => status >= 500) && answers.filter(isPaid).length < PAYABLE) {
            await sleep(500);
            answers.push(...(await callTimes(PAYABLE - answers.filter(isPaid).length)));
        }
        isOver = true;
        expect(await watched).to.be.above(1);
        expect(answers.filter(isPaid).length).to.equal(PAYABLE);
        for (const answer of answers) {
            if (answer.status < 500 && !isPaid(answer)) expectOpenAiError(answer, 'INSUFFICIENT_CREDITS');
        }
        if (answers.length === CALLS) expect(provider.requests.length).to.equal(PAYABLE);
        expect(await amountsOf(one.redis, ada.tenantId)).to.equal(Array.from({ length: PAYABLE }, () => COST));
        expect(await holdsOf(one.redis, ada.tenantId)).to.equal([]);
        expect(await expectSound(one.redis, ada.tenantId)).to.equal(BigInt(REST));
        const credits = await two.server.plugins.billing.credits(ada.tenantId);
        expect(credits).to.include({ balance: BigInt(REST), held: 0n, spent: BigInt(PAYABLE * COST) });
    });
});
