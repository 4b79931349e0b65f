import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { SlotQueue, type SlotTry } from '../../../plugins/limits/slot-queue.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const LONG_MS = 20_000;

describe('a call that waits for a slot', () => {
    let one: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let path: string;

    before(async () => {
        one = await startApp({ listen: true, config: { GENERATION_QUEUE_MS: LONG_MS } });
        other = await startApp({ config: { GENERATION_QUEUE_MS: LONG_MS, JWT_KEYS: one.config.JWT_KEYS } });
    });

    beforeEach(async () => {
        ada = await newTenant(one);
        path = messagesPath(await newThread(ada));
    });

    after(() => Promise.all([one.stop(), other.stop()]));

    const send = (app: TestApp) => app.call('POST', path, { token: ada.accessToken, payload: { content: 'Hello' } });
    const slotsKey = () => tenantKey(ada.tenantId, 'user', ada.userId, 'generations');
    /** Slots that are in use until they are given back. */
    const occupy = async (count = 3) => {
        for (let n = 0; n < count; n++) await one.redis.zadd(slotsKey(), Date.now() + 600_000, `busy-${n}`);
    };
    const give = (n: number) => one.redis.zrem(slotsKey(), `busy-${n}`);
    const violations = async () => {
        const token = await platformToken(one);
        const url = `/api/admin/rate-limits/violations?tenantId=${ada.tenantId}`;
        const { body } = await one.call('GET', url, { token });
        return Number(body.data.violations.days[0]?.counts.concurrency ?? 0);
    };
    /** Whether it is still on its way when others have had the time for several tries. */
    const isWaiting = async (answer: Promise<Answer>) =>
        (await Promise.race([answer, sleep(300, 'waiting')])) === 'waiting';

    it('gets one that is given back on another server, and is no violation', async () => {
        await occupy();
        const sent = [send(one), send(other)];
        for (const answer of sent) expect(await isWaiting(answer)).to.be.true();
        await give(0);
        for (const { status } of await Promise.all(sent)) expect(status).to.equal(200);
        expect(await violations()).to.equal(0);
    });

    it('is one of fewer than there are slots, however many wait on two servers', async () => {
        await setLimits(one, ada.tenantId, { concurrentGenerations: 2 });
        const seen: number[] = [];
        const all = Promise.all(Array.from({ length: 12 }, (_, n) => send(n % 2 ? one : other)));
        let isOver = false;
        const watched = (async () => {
            for (; !isOver; await sleep(2)) seen.push(await one.redis.zcard(slotsKey()));
        })();
        const answers = await all.finally(() => (isOver = true));
        await watched;
        expect(answers.map(({ status }) => status)).to.equal(answers.map(() => 200));
        expect(Math.max(...seen)).to.be.within(1, 2);
    });

    it('is refused at once when ten of the user wait already', async () => {
        await occupy();
        const waiting = Array.from({ length: 10 }, () => send(one));
        for (const answer of waiting) expect(await isWaiting(answer)).to.be.true();
        expectError(await send(one), 'CONCURRENCY_LIMIT');
        expect(await violations()).to.equal(1);
        for (let n = 0; n < 3; n++) await give(n);
        for (const { status } of await Promise.all(waiting)) expect(status).to.equal(200);
    });

    it('is refused at once where there are no slots at all', async () => {
        await setLimits(one, ada.tenantId, { concurrentGenerations: 0 });
        expectError(await send(one), 'CONCURRENCY_LIMIT');
        expect(await violations()).to.equal(1);
    });

    it('ends when the client goes away, and takes nothing then', async () => {
        await occupy();
        const leaving = new AbortController();
        const url = `${one.server.info.uri}${path}`;
        const headers = { authorization: `Bearer ${ada.accessToken}`, 'content-type': 'application/json' };
        const body = JSON.stringify({ content: 'Hello' });
        const post = (signal?: AbortSignal) => fetch(url, { method: 'POST', headers, body, signal: signal ?? null });
        const gone = post(leaving.signal).catch(() => 'gone');
        const stays = post();
        await sleep(300);
        leaving.abort();
        expect(await gone).to.equal('gone');
        await sleep(300);
        await give(0);
        expect((await stays).status).to.equal(200);
        const { body: page } = await ada.call('GET', path);
        expect(page.data.messages).to.have.length(2);
        expect(await violations()).to.equal(0);
    });

    it('ends when the server is about to stop', async () => {
        const config = { GENERATION_QUEUE_MS: LONG_MS, JWT_KEYS: one.config.JWT_KEYS };
        const stopping = await startApp({ config });
        await occupy();
        const answer = send(stopping);
        expect(await isWaiting(answer)).to.be.true();
        stopping.drain.begin();
        expectError(await answer, 'SHUTTING_DOWN');
        await stopping.stop();
    });

    it('is refused when its time is over, and counted once', async () => {
        const hasty = await startApp({ config: { GENERATION_QUEUE_MS: 200, JWT_KEYS: one.config.JWT_KEYS } });
        await occupy();
        const answer = await send(hasty);
        expect(expectError(answer, 'CONCURRENCY_LIMIT').details).to.equal({ limit: 3 });
        expect(answer.headers['retry-after']).to.equal('5');
        expect(await violations()).to.equal(1);
        await hasty.stop();
    });
});

describe('the line of waiting calls', () => {
    const no = (): SlotTry => ({ isTaken: false, limit: 3 });
    const yes = (): SlotTry => ({ isTaken: true, limit: 3 });

    it('is served in turn, and only the first one looks', async () => {
        const queue = new SlotQueue(LONG_MS);
        let isFree = false;
        const served: number[] = [];
        const looked = new Set<number>();
        const waiting = Array.from({ length: 5 }, (_, n) =>
            queue.take('ada', {
                attempt: async () => {
                    if (!isFree) {
                        looked.add(n);
                        return no();
                    }
                    served.push(n);
                    return yes();
                },
                check: () => undefined,
            }),
        );
        await sleep(150);
        expect([...looked]).to.equal([0]);
        isFree = true;
        await Promise.all(waiting);
        expect(served).to.equal([0, 1, 2, 3, 4]);
    });

    it('looks a bounded number of times, and says which look is the last', async () => {
        const looks: boolean[] = [];
        const attempt = async (isLast: boolean) => {
            looks.push(isLast);
            return no();
        };
        expect(await new SlotQueue(500).take('ada', { attempt, check: () => undefined })).to.equal(no());
        expect(looks.length).to.be.within(2, 30);
        expect(looks.map((isLast, n) => isLast === (n === looks.length - 1))).to.not.include(false);
    });

    it('does not exist where nobody may wait', async () => {
        const looks: boolean[] = [];
        const attempt = async (isLast: boolean) => {
            looks.push(isLast);
            return no();
        };
        await new SlotQueue(0).take('ada', { attempt, check: () => undefined });
        expect(looks).to.equal([true]);
    });

    it('goes on when one of it fails', async () => {
        const queue = new SlotQueue(LONG_MS);
        const failing = queue.take('ada', {
            attempt: () => Promise.reject(new Error('No store')),
            check: () => undefined,
        });
        const next = queue.take('ada', { attempt: async () => yes(), check: () => undefined });
        await expect(failing).to.reject('No store');
        expect(await next).to.equal(yes());
    });
});
