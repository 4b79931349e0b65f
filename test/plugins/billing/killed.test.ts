import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';
import { startApp, testConfig, type TestApp } from '../../helpers/app.ts';
import { expectSound } from '../../helpers/billing.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { gatedRedis, type GatedRedis } from '../../helpers/gated-redis.ts';
import { chargesOf, holdsOf, newPayer, sweepNow, told } from '../../helpers/paid-calls.ts';
import { startProcess, type TestProcess } from '../../helpers/process.ts';
import { hold, startProvider, type Hold, type Provider } from '../../helpers/provider.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const KEYS = {
    JWT_KEYS: 'k1:a secret of a test that is long enough to be one',
    VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
};

/** A call of a tenant of its own, in a process that is killed at some point of it. */
interface Victim {
    ada: TestTenant;
    program: TestProcess;
    gate: GatedRedis;
    provider: Provider;
    /** Where the provider waits before it goes on. */
    middle: Hold;
    /** Begins the call, and gives what the client has read of its answer. */
    begin: () => Promise<void>;
    /** What was read so far. */
    read: () => string;
}

const DOORS = ['thread', 'completion'] as const;
type Door = (typeof DOORS)[number];

describe('a process that is killed with kill -9 in a paid call', { timeout: 120_000 }, () => {
    let redis: TestRedis;
    let app: TestApp;
    let catalogue: Provider;

    before(async () => {
        redis = await startRedis();
        catalogue = await startProvider();
        const { JWT_KEYS, VAULT_KEYS } = testConfig(KEYS);
        app = await startApp({ redisPath: redis.path, config: { ...models(catalogue), JWT_KEYS, VAULT_KEYS } });
    });

    after(async () => {
        await app.stop();
        await catalogue.stop();
        await redis.stop();
    });

    /** A micro-dollar for a token in, ten for a token out. */
    const models = (provider: Provider) =>
        remoteModels(
            provider,
            { prices: priceOf({ input: 1_000_000, output: 10_000_000 }) },
            { prices: priceOf({ input: 10_000_000, output: 100_000_000 }) },
        );

    const newVictim = async (door: Door, message: object = {}): Promise<Victim> => {
        const middle = hold();
        // 40 bytes are 10 tokens by estimate; the provider says 7 and 12 in the end.
        const provider = await startProvider({
            steps: [chunk('a'.repeat(40)), middle, chunk('b'.repeat(8)), told({ input: 7, output: 12 })],
        });
        const gate = await gatedRedis(redis.path);
        const { CATALOGUE_FILE, OPENAI_BASE_URL } = models(provider);
        const program = await startProcess({
            ...KEYS,
            REDIS_URL: gate.url,
            CATALOGUE_FILE: String(CATALOGUE_FILE),
            OPENAI_BASE_URL: String(OPENAI_BASE_URL),
            PROVIDER_KEYS_SHARED: 'openai=a-key-of-the-test',
        });
        const ada = await newPayer(app, dollars(1));
        const thread = await newThread(ada);
        let text = '';
        const begin = async () => {
            const isThread = door === 'thread';
            const response = await fetch(
                program.url + (isThread ? messagesPath(thread, 'remote') : '/v1/chat/completions'),
                {
                    method: 'POST',
                    headers: { 'content-type': 'application/json', authorization: `Bearer ${ada.accessToken}` },
                    body: JSON.stringify({
                        stream: true,
                        ...(isThread
                            ? { content: 'Hello', ...message }
                            : { model: 'remote', messages: [{ role: 'user', content: 'Hello' }], ...message }),
                    }),
                },
            );
            const decoder = new TextDecoder();
            for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true });
        };
        return { ada, program, gate, provider, middle, begin: () => begin().catch(() => undefined), read: () => text };
    };

    /** After what comes when nobody renews anything: the answer is closed, the hold is swept. */
    const aftermath = async ({ ada, gate, provider, middle }: Victim) => {
        const answers = tenantKey(PLATFORM, 'answers');
        const left = await app.redis.zrange(answers, '0', '-1');
        if (left.length > 0) await app.redis.zadd(answers, 'XX', ...left.flatMap((place) => ['1', place]));
        while ((await app.redis.zcard(answers)) > 0) await sleep(50);
        for (let times = 0; times < 2; times++) await sweepNow(app, ada.tenantId);
        gate.stop();
        middle.release();
        await provider.stop();
        expect(await holdsOf(app.redis, ada.tenantId)).to.equal([]);
        const balance = await expectSound(app.redis, ada.tenantId);
        const charges = await chargesOf(app.redis, ada.tenantId);
        return { paid: dollars(1) - balance, charges };
    };
    const kill = ({ program }: Victim) => program.stop('SIGKILL');
    const holds = ({ ada }: Victim) => holdsOf(app.redis, ada.tenantId);
    /** Until the client has the first words. */
    const untilMiddle = async (victim: Victim) => {
        await victim.middle.reached;
        while (!victim.read().includes('a'.repeat(40))) await sleep(10);
    };
    const typeOf: Record<Door, string> = { thread: 'model_usage', completion: 'hold_settled' };

    it('has the tenant pay for the model that answered in place of the one that was asked', async () => {
        const victim = await newVictim('thread', { fallbackModels: ['second'] });
        const { middle, provider } = victim;
        provider.answer(({ body }) =>
            body.model === 'second'
                ? { steps: [chunk('a'.repeat(40)), middle, told({ input: 7, output: 12 })] }
                : { status: 401, steps: ['{"error":{"message":"No such key"}}'] },
        );
        void victim.begin();
        await untilMiddle(victim);
        await kill(victim);
        const { paid, charges } = await aftermath(victim);
        // 6 × 10 + 10 × 100.
        expect(paid).to.equal(1_060n);
        expect(charges.map(({ modelId }) => modelId)).to.equal(['second']);
    });

    it('has the tenant pay nothing of a whole completion, of which nothing was sent out', async () => {
        const victim = await newVictim('completion', { stream: false });
        void victim.begin();
        await victim.middle.reached;
        // Long enough for the process to have heard it.
        await sleep(300);
        await kill(victim);
        expect(victim.read()).to.equal('');
        expect(await aftermath(victim)).to.equal({ paid: 0n, charges: [] });
    });

    for (const door of DOORS) {
        it(`has the tenant pay nothing when only the hold was taken (${door})`, async () => {
            const victim = await newVictim(door);
            victim.gate.shutWhen(async () => (await holds(victim)).length > 0);
            void victim.begin();
            await victim.gate.shut;
            await kill(victim);
            expect(victim.provider.requests).to.equal([]);
            expect(await holds(victim)).to.have.length(1);
            expect(await aftermath(victim)).to.equal({ paid: 0n, charges: [] });
        });

        it(`has the tenant pay once for what was sent out in the middle (${door})`, async () => {
            const victim = await newVictim(door);
            void victim.begin();
            await untilMiddle(victim);
            await kill(victim);
            const { paid, charges } = await aftermath(victim);
            // "Hello" and its marks are 6 tokens, 10 came: 6 + 10 × 10.
            expect(paid).to.equal(106n);
            expect(charges).to.have.length(1);
            expect(charges[0]).to.include({ type: typeOf[door], amount: '-106', isEstimated: '1', modelId: 'remote' });
        });

        it(`has the tenant pay once for what was sent out when the provider has ended (${door})`, async () => {
            const victim = await newVictim(door);
            void victim.begin();
            await untilMiddle(victim);
            // All that the provider says goes to a process that does not hear it any more.
            process.kill(victim.program.pid, 'SIGSTOP');
            victim.middle.release();
            await victim.provider.stop();
            await kill(victim);
            const { paid, charges } = await aftermath(victim);
            expect(paid).to.equal(106n);
            expect(charges.map(({ type }) => type)).to.equal([typeOf[door]]);
        });

        it(`has the tenant pay once when it was settled and not answered yet (${door})`, async () => {
            const victim = await newVictim(door);
            void victim.begin();
            await untilMiddle(victim);
            victim.gate.shutWhen(async () => (await chargesOf(app.redis, victim.ada.tenantId)).length > 0);
            victim.middle.release();
            await victim.gate.shut;
            await kill(victim);
            expect(victim.read()).to.not.include(door === 'thread' ? 'message_complete' : '[DONE]');
            const { paid, charges } = await aftermath(victim);
            // 7 + 12 × 10, as the provider told.
            expect(paid).to.equal(127n);
            expect(charges.map(({ type }) => type)).to.equal(['model_usage']);
        });
    }
});
