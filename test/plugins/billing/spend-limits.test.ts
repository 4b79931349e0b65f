import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { quotaMonth } from '../../../src/quota-month.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { expectSound } from '../../helpers/billing.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { expectOpenAiError } from '../../helpers/openai.ts';
import { amountsOf, newPayer, setSpendLimit, told } from '../../helpers/paid-calls.ts';
import { startProvider, type Provider } from '../../helpers/provider.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('the limits of what a month may cost', () => {
    let redis: TestRedis;
    let provider: Provider;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;

    before(async () => {
        // Of its own: its time goes into the next month.
        redis = await startRedis();
        provider = await startProvider();
        // A call of 100 tokens is 1,000 micro-dollars.
        const prices = priceOf({ input: 0, output: 10_000_000 });
        [one, two] = await startReplicas({ redisPath: redis.path, config: remoteModels(provider, { prices }) });
        provider.answer({ steps: [chunk('Fine'), told({ input: 10, output: 100 })] });
    });

    beforeEach(async () => {
        ada = await newPayer(one, dollars(1));
        await setLimits(one, ada.tenantId, { requestsPerMinute: 10_000, concurrentGenerations: 500 });
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await provider.stop();
        await redis.stop();
    });

    const payload = { model: 'remote', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 100 };
    /** Calls of a user, half of them at each replica, all at once. */
    const callAll = (count: number, token = ada.accessToken): Promise<Answer[]> =>
        Promise.all(
            Array.from({ length: count }, (_, n) =>
                (n % 2 === 0 ? one : two).call('POST', '/v1/chat/completions', { token, payload }),
            ),
        );
    const ran = (answers: Answer[]) => answers.filter(({ status }) => status === 200).length;

    it('hold for a tenant, a user and a key, however many calls come at once', async () => {
        const bob = await newUser(one, ada.tenantId, 'user');
        const { id, secret } = await newKey(bob, { scopes: ['model:call'] });
        await setSpendLimit(one.redis, ada.tenantId, `key:${id}`, 3_000n);
        await setSpendLimit(one.redis, ada.tenantId, `user:${bob.userId}`, 5_600n);
        await setSpendLimit(one.redis, ada.tenantId, 'tenant', 9_000n);
        const byKey = await callAll(12, secret);
        expect(ran(byKey)).to.equal(3);
        const byUser = await callAll(12, bob.accessToken);
        // 3,000 of the 5,999 are the key's.
        expect(ran(byUser)).to.equal(2);
        const byTenant = await callAll(12);
        expect(ran(byTenant)).to.equal(4);
        for (const answer of [...byKey, ...byUser, ...byTenant].filter(({ status }) => status !== 200)) {
            expectOpenAiError(answer, 'SPEND_LIMIT_REACHED');
        }
        expect(await expectSound(one.redis, ada.tenantId)).to.equal(991_000n);
        expect(await amountsOf(one.redis, ada.tenantId)).to.equal(Array.from({ length: 9 }, () => 1_000));
    });

    it('lower the output to what they leave, and say which one it was and until when', async () => {
        await setSpendLimit(one.redis, ada.tenantId, `user:${ada.userId}`, 700n);
        const path = messagesPath(await newThread(ada), 'remote');
        provider.requests.length = 0;
        provider.answer({ steps: [chunk('Fine'), told({ input: 10, output: 10 })] });
        expect((await ada.call('POST', path, { payload: { content: 'Hello' } })).status).to.equal(200);
        expect(provider.requests[0]?.body.max_tokens).to.equal(70);
        // 600 are left: not even 64 tokens.
        const { details } = expectError(
            await ada.call('POST', path, { payload: { content: 'Hello' } }),
            'SPEND_LIMIT_REACHED',
        );
        const resetsAt = new Date(quotaMonth(Date.now()).endsAt).toISOString();
        expect(details).to.equal({ limit: 'user', resetsAt });
        expect(provider.requests).to.have.length(1);
        provider.answer({ steps: [chunk('Fine'), told({ input: 10, output: 100 })] });
    });

    it('begin anew with the month', async () => {
        await setSpendLimit(one.redis, ada.tenantId, 'tenant', 1_000n);
        expect(ran(await callAll(4))).to.equal(1);
        await one.advance(quotaMonth(Date.now()).endsAt - Date.now() + 60_000);
        const { accessToken } = (
            await one.call('POST', '/api/login', {
                payload: { email: ada.email, password: ada.password, tenantId: ada.tenantId },
            })
        ).body.data;
        const later = await one.call('POST', '/v1/chat/completions', { token: accessToken, payload });
        expect(later.status).to.equal(200);
    });
});
