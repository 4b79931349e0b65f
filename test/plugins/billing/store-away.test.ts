import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectSound } from '../../helpers/billing.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { expectOpenAiError } from '../../helpers/openai.ts';
import { amountsOf, chargesOf, holdsOf, newPayer, told } from '../../helpers/paid-calls.ts';
import { hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';
import { RestartableRedis } from '../../helpers/restartable-redis.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

/** What the contract promises, in milliseconds. */
const PROMISED = 2_000;
const SLOW_MACHINE = 10_000;
const COMPLETIONS = '/v1/chat/completions';
const payload = { model: 'remote', messages: [{ role: 'user', content: 'Hello' }] };

describe('a paid call while Redis is away', () => {
    let server: RestartableRedis;
    let provider: Provider;
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        server = new RestartableRedis();
        await server.start();
        provider = await startProvider();
        const prices = priceOf({ input: 1_000_000, output: 10_000_000 });
        const config = remoteModels(provider, { prices });
        app = await startApp({ redisPath: server.path, config, isImpatient: true });
    });

    beforeEach(async () => {
        ada = await newPayer(app, dollars(1));
        provider.requests.length = 0;
        provider.answer({ steps: [chunk('Fine'), told({ input: 10, output: 5 })] });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
        await server.remove();
    });

    const comeBack = async () => {
        await server.start();
        while ((await app.redis.ping().catch(() => '')) !== 'PONG') await sleep(10);
    };

    it('is refused without a charge, and is paid like any other when it is back', async () => {
        const path = messagesPath(await newThread(ada), 'remote');
        await server.kill();
        const began = performance.now();
        const [message, completion] = await Promise.all([
            ada.call('POST', path, { payload: { content: 'Hello' } }),
            ada.call('POST', COMPLETIONS, { payload }),
        ]);
        expect(performance.now() - began).to.be.below(PROMISED);
        expectError(message, 'STORE_UNAVAILABLE');
        expectOpenAiError(completion, 'STORE_UNAVAILABLE');
        expect(provider.requests).to.equal([]);
        await comeBack();
        expect(await amountsOf(app.redis, ada.tenantId)).to.equal([]);
        expect((await ada.call('POST', path, { payload: { content: 'Hello' } })).status).to.equal(200);
        expect((await ada.call('POST', COMPLETIONS, { payload })).status).to.equal(200);
        expect(await amountsOf(app.redis, ada.tenantId)).to.equal([60, 60]);
    });

    it('is refused as soon as that is known where Redis does not answer at all', async () => {
        server.hang();
        const began = performance.now();
        const answer = await ada.call('POST', COMPLETIONS, { payload });
        const took = performance.now() - began;
        server.resume();
        expectOpenAiError(answer, 'STORE_UNAVAILABLE');
        // After a second and a half, on a machine that is not slow.
        expect(took).to.be.below(SLOW_MACHINE);
        expect(provider.requests).to.equal([]);
        while ((await app.redis.ping().catch(() => '')) !== 'PONG') await sleep(10);
        expect(await amountsOf(app.redis, ada.tenantId)).to.equal([]);
    });

    it('ends as it would, and is settled once Redis is back', async () => {
        const middle = hold();
        provider.answer({ steps: [chunk('Fine'), middle, told({ input: 10, output: 5 })] });
        const answer = ada.call('POST', COMPLETIONS, { payload });
        await middle.reached;
        expect(await holdsOf(app.redis, ada.tenantId)).to.have.length(1);
        await server.kill();
        middle.release();
        const { status, body } = await answer;
        expect(status).to.equal(200);
        expect(body.choices[0].message.content).to.equal('Fine');
        await comeBack();
        while ((await chargesOf(app.redis, ada.tenantId)).length === 0) await sleep(20);
        expect(await amountsOf(app.redis, ada.tenantId)).to.equal([60]);
        expect(await holdsOf(app.redis, ada.tenantId)).to.equal([]);
        await expectSound(app.redis, ada.tenantId);
    });
});
