import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { createLimitService } from '../../../plugins/limits/service.ts';
import { createLimitStore } from '../../../plugins/limits/store.ts';
import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setLimits, setPlan } from '../../helpers/limits.ts';
import { silentLogger } from '../../helpers/store.ts';
import { openStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const LEASE_MS = 30_000;
const admitted = (answers: Answer[]) => answers.filter(({ status }) => status === 200);

describe('the generations that a user may have at once', () => {
    let one: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        const config = { SANDBOX_TOKEN_DELAY_MS: 5, GENERATION_QUEUE_MS: 0 };
        one = await startApp({ listen: true, config });
        other = await startApp({ config: { ...config, JWT_KEYS: one.config.JWT_KEYS } });
    });

    beforeEach(async () => {
        ada = await newTenant(one);
        thread = await newThread(ada);
    });

    after(() => Promise.all([one.stop(), other.stop()]));

    const send = (app: TestApp, content: string) =>
        app.call('POST', messagesPath(thread), { token: ada.accessToken, payload: { content } });
    const slotsKey = () => tenantKey(ada.tenantId, 'user', ada.userId, 'generations');
    const running = async () =>
        Number((await ada.call('GET', '/api/profile/usage')).body.data.usage.generations.running);

    it('are three of twelve at once for a free user, on two servers', async () => {
        const answers = await Promise.all(
            Array.from({ length: 12 }, (_, n) => send(n % 2 === 0 ? one : other, 'count to 200')),
        );
        expect(admitted(answers)).to.have.length(3);
        for (const answer of answers.filter(({ status }) => status !== 200)) {
            expect(expectError(answer, 'CONCURRENCY_LIMIT').details).to.equal({ limit: 3 });
            expect(Number(answer.headers['retry-after'])).to.be.within(1, 60);
        }
        const { body } = await ada.call('GET', `/api/threads/${thread}`);
        expect(body.data.thread.messageCount).to.equal(6);
    });

    it('are free again when they end, well or badly', async () => {
        for (let round = 0; round < 5; round++) expect((await send(one, 'Hello')).status).to.equal(200);
        const lost = 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
        for (let round = 0; round < 5; round++) {
            const answer = await ada.call('POST', messagesPath(lost), { payload: { content: 'Hello' } });
            expectError(answer, 'THREAD_NOT_FOUND');
        }
        expect(await one.redis.exists(slotsKey())).to.equal(0);
    });

    it('count while they run, also when the client has gone away', async () => {
        const stream = await openStream({
            url: `${one.server.info.uri}${messagesPath(thread)}`,
            token: ada.accessToken,
            payload: { content: 'count to 100' },
        });
        await stream.until(({ event }) => event === 'token');
        expect(await running()).to.equal(1);
        stream.leave();
        expect(await running()).to.equal(1);
        for (let tries = 0; (await running()) > 0 && tries < 200; tries++) await sleep(20);
        expect(await running()).to.equal(0);
    });

    it('follow the plan, and the tenant’s own figure', async () => {
        await setPlan(one, ada.tenantId, 'premium');
        expect(admitted(await Promise.all(Array.from({ length: 8 }, () => send(one, 'Hello'))))).to.have.length(8);
        await setLimits(one, ada.tenantId, { concurrentGenerations: 0 });
        expectError(await send(one, 'Hello'), 'CONCURRENCY_LIMIT');
    });

    it('are free within a lease after their process was killed', async () => {
        const atOnce = { GENERATION_QUEUE_MS: 0, JWT_KEYS: one.config.JWT_KEYS };
        const killed = await startApp({ config: { SANDBOX_TOKEN_DELAY_MS: 200, ...atOnce } });
        const survivor = await startApp({ config: atOnce });
        const lost = Promise.all([1, 2, 3].map(() => send(killed, 'count to 20')));
        for (let tries = 0; (await running()) < 3 && tries < 200; tries++) await sleep(10);
        // It renews nothing and gives nothing back from here on.
        killed.redis.disconnect();
        expectError(await send(survivor, 'Hello'), 'CONCURRENCY_LIMIT');
        await survivor.advance(LEASE_MS + 1_000);
        const answers = await Promise.all([1, 2, 3, 4].map(() => send(survivor, 'Hello')));
        expect(admitted(answers)).to.have.length(3);
        // Otherwise it would wait for its store.
        await killed.drain.finish(AbortSignal.timeout(1));
        await Promise.all([lost, killed.stop(), survivor.stop()]);
    });
});

describe('a slot', () => {
    let app: TestApp;
    let actor: Actor;

    before(async () => {
        app = await startApp();
        const { tenantId, userId } = await newTenant(app);
        actor = { tenantId, userId, tier: 'free' } as Actor;
    });

    after(() => app.stop());

    const service = (lease: { leaseMs: number; renewEveryMs: number }) => {
        const { tenants } = app.server.plugins;
        const store = createLimitStore(app.store, { tenants, relayedKey: () => '' }, Date.now);
        return createLimitService({
            allViolations: async () => ({ days: [], tenants: [] }),
            store,
            tenants,
            append: appendOutbox(app.store),
            logger: silentLogger,
            queueMs: 0,
            drain: app.drain,
            running: { up: () => undefined, down: () => undefined },
            lease,
        });
    };

    it('outlives its lease as long as it is renewed', async () => {
        const limits = service({ leaseMs: 10_000, renewEveryMs: 20 });
        const slots = [await limits.takeSlot(actor), await limits.takeSlot(actor), await limits.takeSlot(actor)];
        for (let step = 0; step < 4; step++) {
            await app.advance(6_000);
            // Until every one of them was renewed by the new time.
            const key = tenantKey(actor.tenantId, 'user', actor.userId, 'generations');
            const before = await app.redis.zrange(key, '0', '-1', 'WITHSCORES');
            const oldest = Math.min(...before.filter((_, n) => n % 2 === 1).map(Number));
            for (let tries = 0; tries < 200; tries++) {
                const scores = (await app.redis.zrange(key, '0', '0', 'WITHSCORES')).slice(1).map(Number);
                if ((scores[0] ?? 0) > oldest + 1_000) break;
                await sleep(10);
            }
        }
        await expectRefused(limits.takeSlot(actor));
        await Promise.all(slots.map(({ release }) => release()));
        await (await limits.takeSlot(actor)).release();
    });

    it('is free when its lease is over, if nobody renews it', async () => {
        const limits = service({ leaseMs: 10_000, renewEveryMs: 3_600_000 });
        const slots = [await limits.takeSlot(actor), await limits.takeSlot(actor), await limits.takeSlot(actor)];
        await expectRefused(limits.takeSlot(actor));
        await app.advance(10_001);
        await (await limits.takeSlot(actor)).release();
        await Promise.all(slots.map(({ release }) => release()));
    });
});

async function expectRefused(taking: Promise<unknown>): Promise<void> {
    const error = await taking.then(
        () => null,
        (reason: unknown) => reason,
    );
    expect((error as { data?: { code?: string } } | null)?.data?.code).to.equal('CONCURRENCY_LIMIT');
}
