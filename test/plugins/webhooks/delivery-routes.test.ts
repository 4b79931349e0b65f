import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { MOST_LOOKED_AT, MOST_REPLAYED } from '../../../plugins/webhooks/delivery-service.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import {
    deliver,
    newEvent,
    newWebhook,
    PRIVATE_WEBHOOKS,
    startReceiver,
    storedDelivery,
    take,
    type TestReceiver,
    type TestWebhook,
} from '../../helpers/webhook.ts';

import type { Todo } from '../../../plugins/webhooks/delivery-store.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after, afterEach } = lab;

const GONE = 'dlv_00000000000000000000000000';
const NONE: Todo = { deliveryId: '', webhookId: '', round: '' };

let redis: TestRedis;
let app: TestApp;
let jobs: TestQueue;
let ada: TestTenant;
let receiver: TestReceiver;
let webhook: TestWebhook;

before(async () => {
    redis = await startRedis();
    app = await startApp({ redisPath: redis.path, config: PRIVATE_WEBHOOKS });
    jobs = await openQueue(redis.path, 'deliveries');
});

beforeEach(async () => {
    await jobs.queue.drain(true);
    ada = await newTenant(app);
    receiver = await startReceiver();
    webhook = await newWebhook(ada, receiver.url);
});

afterEach(() => receiver.stop());

after(async () => {
    await jobs.close();
    await app.stop();
    await redis.stop();
});

/** Does the jobs that were asked for. */
const work = async (): Promise<void> => {
    for (const { data } of await jobs.queue.getWaiting()) await deliver(app, ada.tenantId, data as unknown as Todo);
    await jobs.queue.drain();
};
const deliveriesOf = async (query = '') =>
    (await ada.call('GET', `${webhook.path}/deliveries${query}`)).body.data.deliveries;

describe('GET /api/webhooks/{webhookId}/deliveries', () => {
    it('lists them by their events, newest first or oldest first, page by page', async () => {
        const at = Date.now();
        const events = [3, 1, 2].map((n) => ({ ...newEvent(), timestamp: new Date(at - n * 1_000).toISOString() }));
        await take(app, ada.tenantId, events);
        const ordered = [events[1]?.id, events[2]?.id, events[0]?.id];
        const ids = async (query: string) =>
            (await deliveriesOf(query)).map(({ eventId }: { eventId: string }) => eventId);
        expect(await ids('')).to.equal(ordered);
        expect(await ids('?order=asc')).to.equal(ordered.toReversed());
        const first = await ada.call('GET', `${webhook.path}/deliveries?limit=2`);
        expect(first.body.pagination.hasMore).to.be.true();
        expect(await ids(`?limit=2&cursor=${first.body.pagination.cursor}`)).to.equal(ordered.slice(2));
        const other = await newWebhook(ada, receiver.url);
        const foreign = `${other.path}/deliveries?limit=2&cursor=${first.body.pagination.cursor}`;
        expectError(await ada.call('GET', foreign), 'INVALID_CURSOR');
    });

    it('lists those of a status', async () => {
        receiver.status = (n) => (n === 0 ? 500 : 200);
        const [first = NONE, second = NONE] = await take(app, ada.tenantId, [newEvent(), newEvent()]);
        for (const todo of [first, second]) await deliver(app, ada.tenantId, todo);
        const [pending] = await deliveriesOf('?status=pending');
        expect(pending).to.include({ id: first.deliveryId, tries: 1, endedAt: null });
        expect(pending.nextAttemptAt).to.be.a.string();
        const [delivered] = await deliveriesOf('?status=delivered');
        expect(delivered).to.include({ id: second.deliveryId, tries: 1, nextAttemptAt: null });
        expect(await deliveriesOf('?status=failed')).to.equal([]);
        expectFaults(await ada.call('GET', `${webhook.path}/deliveries?status=lost`), ['status']);
    });
});

describe('GET /api/webhooks/{webhookId}/deliveries/{deliveryId}', () => {
    it('shows the body that was sent, and each attempt with the beginning of its answer', async () => {
        receiver.status = (n) => (n === 0 ? 503 : 200);
        const [todo = NONE] = await take(app, ada.tenantId, [newEvent()]);
        const put = await deliver(app, ada.tenantId, todo);
        await app.advance(put ?? 0);
        await deliver(app, ada.tenantId, todo);
        const { body } = await ada.call('GET', `${webhook.path}/deliveries/${todo.deliveryId}`);
        const { delivery, attempts, body: sent } = body.data;
        expect(delivery).to.include({ status: 'delivered', tries: 2, reason: null });
        expect(receiver.received.map((one) => one.body)).to.equal([sent, sent]);
        expect(attempts).to.have.length(2);
        expect(attempts[0]).to.include({ outcome: 'failed', status: 503, failure: 'status', responseBody: 'answer 1' });
        expect(attempts[1]).to.include({ outcome: 'delivered', status: 200, failure: null, responseBody: 'answer 2' });
        expect(Date.parse(attempts[1].at)).to.be.above(Date.parse(attempts[0].at));
    });

    it('finds no delivery of another webhook', async () => {
        const [todo = NONE] = await take(app, ada.tenantId, [newEvent()]);
        const other = await newWebhook(ada, receiver.url);
        for (const [path, method] of [
            ['', 'GET'],
            ['/retry', 'POST'],
        ] as const) {
            const answer = await ada.call(method, `${other.path}/deliveries/${todo.deliveryId}${path}`);
            expectError(answer, 'DELIVERY_NOT_FOUND');
        }
    });
});

describe('POST /api/webhooks/{webhookId}/deliveries/{deliveryId}/retry', () => {
    const retry = (id: string) => ada.call('POST', `${webhook.path}/deliveries/${id}/retry`);

    it('has it sent again at once, byte by byte, whatever has become of it', async () => {
        receiver.status = (n) => (n === 0 ? 500 : 200);
        const [todo = NONE] = await take(app, ada.tenantId, [newEvent()]);
        await deliver(app, ada.tenantId, todo);
        // It waits for its next attempt; then it is delivered.
        for (let times = 1; times <= 2; times++) {
            const { status, body } = await retry(todo.deliveryId);
            expect(status).to.equal(202);
            expect(body.data.delivery).to.include({ status: 'pending', tries: 0, endedAt: null });
            // The job of the round before has nothing to do.
            expect(await deliver(app, ada.tenantId, todo)).to.be.null();
            expect(receiver.received).to.have.length(times);
            await work();
            expect(receiver.received).to.have.length(times + 1);
            expect(await storedDelivery(app, ada.tenantId, todo.deliveryId)).to.include({ status: 'delivered' });
        }
        expect(new Set(receiver.received.map(({ body }) => body)).size).to.equal(1);
        const audit = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'webhook.retry_delivery');
        expect(JSON.parse(audit[0]?.details ?? '{}')).to.equal({ deliveryId: todo.deliveryId });
    });

    it('sends it once though it is asked for many times at once', async () => {
        const [todo = NONE] = await take(app, ada.tenantId, [newEvent()]);
        await Promise.all(Array.from({ length: 8 }, () => retry(todo.deliveryId)));
        await work();
        expect(receiver.received).to.have.length(1);
    });

    it('is kept again when it was about to be forgotten', async () => {
        const [todo = NONE] = await take(app, ada.tenantId, [newEvent()]);
        await deliver(app, ada.tenantId, todo);
        const key = tenantKey(ada.tenantId, 'delivery', todo.deliveryId);
        const ttls = () => Promise.all([app.redis.pttl(key), app.redis.pttl(`${key}:attempts`)]);
        for (const ttl of await ttls()) expect(ttl).to.be.within(600_000_000, 604_800_000);
        await retry(todo.deliveryId);
        expect(await ttls()).to.equal([-1, -1]);
    });

    it('refuses it of a webhook that is disabled, and of one that is not there', async () => {
        const [todo = NONE] = await take(app, ada.tenantId, [newEvent()]);
        await ada.call('PATCH', webhook.path, { payload: { isActive: false } });
        expectError(await retry(todo.deliveryId), 'WEBHOOK_DISABLED');
        expectError(await retry(GONE), 'DELIVERY_NOT_FOUND');
    });
});

describe('POST /api/webhooks/{webhookId}/replay', () => {
    const replay = (since: string) => ada.call('POST', `${webhook.path}/replay`, { payload: { since } });
    const anHourAgo = () => new Date(Date.now() - 3_600_000).toISOString();

    it('sends what happened since then again, and what it was not there for; nothing else', async () => {
        for (const title of ['One', 'Two']) await newThread(ada, title);
        const first = await replay(anHourAgo());
        expect([first.status, first.body.data.replay]).to.equal([202, { count: 2, nextSince: null }]);
        await work();
        expect(receiver.received).to.have.length(2);
        await replay(anHourAgo());
        await work();
        const ids = receiver.received.map(({ headers }) => headers['webhook-id'] ?? '');
        expect(ids.slice(2).toSorted()).to.equal(ids.slice(0, 2).toSorted());
        expect((await replay(new Date().toISOString())).body.data.replay.count).to.equal(0);
        const audit = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'webhook.replay');
        expect(audit).to.have.length(3);
    });

    it('sends a thousand at most and says from when on there are more', async () => {
        const at = Date.now();
        const pipeline = app.redis.pipeline();
        const data = JSON.stringify({ threadId: 'thread_1' });
        const events = tenantKey(ada.tenantId, 'events');
        for (let n = 0; n <= MOST_REPLAYED; n++) {
            pipeline.xadd(events, `${at + 60_000 + n}-0`, 'type', 'thread.created', 'data', data);
        }
        await pipeline.exec();
        const { replay: done } = (await replay(anHourAgo())).body.data;
        const next = new Date(at + 60_000 + MOST_REPLAYED).toISOString();
        expect(done).to.equal({ count: MOST_REPLAYED, nextSince: next });
        expect(await jobs.queue.getWaitingCount()).to.equal(MOST_REPLAYED);
    });

    it('looks at so many events at most that its filter does not let through', async () => {
        await ada.call('PATCH', webhook.path, { payload: { filter: { events: ['tunnel.*'] } } });
        const at = Date.now() + 60_000;
        const pipeline = app.redis.pipeline();
        const events = tenantKey(ada.tenantId, 'events');
        for (let n = 0; n < MOST_LOOKED_AT + 200; n++) {
            pipeline.xadd(events, `${at + n}-0`, 'type', 'thread.created', 'data', '{}');
        }
        await pipeline.exec();
        const { replay: done } = (await replay(anHourAgo())).body.data;
        expect(done.count).to.equal(0);
        const next = Date.parse(done.nextSince) - at;
        expect(next).to.be.within(MOST_LOOKED_AT - 100, MOST_LOOKED_AT + 100);
    });

    it('refuses a time more than 7 days ago or to come, and a webhook that is disabled', async () => {
        const longAgo = new Date(Date.now() - 7 * 86_400_000 - 60_000).toISOString();
        for (const since of [longAgo, new Date(Date.now() + 60_000).toISOString(), 'yesterday']) {
            expectFaults(await replay(since), ['since']);
        }
        await ada.call('PATCH', webhook.path, { payload: { isActive: false } });
        expectError(await replay(anHourAgo()), 'WEBHOOK_DISABLED');
    });
});
