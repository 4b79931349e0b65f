import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Webhook } from 'standardwebhooks';

import { MOST_PENDING } from '../../../plugins/webhooks/delivery-store.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { eventsOf, tracesOf } from '../../helpers/vm.ts';
import {
    deliver,
    newEvent,
    newWebhook,
    NotedJobs,
    PRIVATE_WEBHOOKS,
    startReceiver,
    storedDelivery,
    storedWebhook,
    take,
    webhookParts,
    type TestReceiver,
    type TestWebhook,
} from '../../helpers/webhook.ts';

import type { Todo } from '../../../plugins/webhooks/delivery-store.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NONE: Todo = { deliveryId: '', webhookId: '', round: '' };

let app: TestApp;
let ada: TestTenant;
let receiver: TestReceiver;
let webhook: TestWebhook;

// Each with a clock of its own: events are trimmed by it.
beforeEach(async () => {
    app = await startApp({ config: { ...PRIVATE_WEBHOOKS, ACCESS_TOKEN_TTL: 100 * 86_400 } });
    ada = await newTenant(app);
    receiver = await startReceiver();
    webhook = await newWebhook(ada, receiver.url);
});

afterEach(() => Promise.all([receiver.stop(), app.stop()]));

const takeOne = async (event = newEvent()): Promise<Todo> => (await take(app, ada.tenantId, [event]))[0] ?? NONE;
const stored = ({ deliveryId }: Todo) => storedDelivery(app, ada.tenantId, deliveryId);
const attempt = (todo: Todo) => deliver(app, ada.tenantId, todo);
const setStatus = (status: string) => app.redis.hset(tenantKey(ada.tenantId, 'info'), 'status', status);
const shown = async () => (await ada.call('GET', webhook.path)).body.data.webhook;

describe('take', () => {
    it('makes one delivery for each event and each active webhook whose filter lets it through', async () => {
        const conditions = [{ field: 'data.threadId', comparison: 'eq', value: 'thread_2' }];
        const second = await newWebhook(ada, receiver.url, { filter: { events: ['*'], conditions } });
        await newWebhook(ada, receiver.url, { isActive: false });
        await newWebhook(await newTenant(app), receiver.url);
        const events = [newEvent(), newEvent('thread.deleted', { threadId: 'thread_2' }), newEvent('vm.created')];
        const todo = await take(app, ada.tenantId, events);
        const of = ({ id }: TestWebhook) => todo.filter(({ webhookId }) => webhookId === id).length;
        expect([todo.length, of(webhook), of(second)]).to.equal([3, 2, 1]);
        for (const { deliveryId } of todo) expect(deliveryId).to.match(/^dlv_[0-9A-HJKMNP-TV-Z]{26}$/);
        expect(new Set(todo.map(({ deliveryId }) => deliveryId)).size).to.equal(3);
    });

    it('makes no more when a batch is taken many times at once, on two replicas', async () => {
        const replicas = await startReplicas({ config: PRIVATE_WEBHOOKS });
        const { tenantId, call } = await newTenant(replicas[0]);
        const { path } = await newWebhook({ call }, receiver.url);
        const events = Array.from({ length: 60 }, () => newEvent());
        const taken = await Promise.all(
            Array.from({ length: 6 }, (_, n) => take(n % 2 ? replicas[0] : replicas[1], tenantId, events)),
        );
        // Each asks for the jobs: of one id, one is kept.
        const ids = new Set(taken.flat().map(({ deliveryId, round }) => `${deliveryId}.${round}`));
        expect(ids.size).to.equal(60);
        const { body } = await call('GET', `${path}/deliveries?limit=100`);
        expect(body.data.deliveries).to.have.length(60);
        await Promise.all(replicas.map((replica) => replica.stop()));
    });

    it('adds the jobs that a crash, or a queue that was away, has left out; and none for what is done', async () => {
        const events = [newEvent(), newEvent()];
        const jobs = new NotedJobs();
        jobs.isAway = true;
        await expect(webhookParts(app, jobs).consumer.take(ada.tenantId, events)).to.reject('Connection is closed.');
        const [first = NONE, second = NONE] = await take(app, ada.tenantId, events);
        expect(await attempt(first)).to.be.null();
        expect(await take(app, ada.tenantId, events)).to.equal([second]);
        await attempt(second);
        expect(await take(app, ada.tenantId, events)).to.equal([]);
        expect(receiver.received).to.have.length(2);
    });

    it('lets no more than a day’s deliveries wait, and tells of those that it leaves', async () => {
        const pending = `${tenantKey(ada.tenantId, 'webhook', webhook.id)}:pending`;
        const many = Array.from({ length: MOST_PENDING - 1 }, (_, n) => [String(Date.now()), `dlv_${n}`]);
        await app.redis.zadd(pending, ...many.flat());
        const events = [newEvent(), newEvent()];
        expect(await take(app, ada.tenantId, events)).to.have.length(1);
        const { body } = await ada.call('GET', `${webhook.path}/deliveries?status=cancelled`);
        expect(body.data.deliveries).to.have.length(1);
        expect(body.data.deliveries[0]).to.include({ reason: 'backlog', eventId: events[1]?.id });
    });
});

describe('deliver', () => {
    it('sends the event, signed, under the event’s id, and notes the success', async () => {
        const event = newEvent('thread.created', { threadId: 'thread_ü' });
        const todo = await takeOne(event);
        expect(await attempt(todo)).to.be.null();
        const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
        expect(new Webhook(webhook.secret).verify(body, headers)).to.equal(event);
        expect(headers['webhook-id']).to.equal(event.id);
        expect(await stored(todo)).to.include({ status: 'delivered', tries: '1' });
        expect(await shown()).to.include({ lastStatus: 204, failingSince: null, revision: 1 });
        expect(await attempt(todo)).to.be.null();
        expect(receiver.received).to.have.length(1);
    });

    it('tries again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h, with a fifth more or less, and then gives up', async () => {
        receiver.status = 503;
        const delays = [5_000, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];
        const todo = await takeOne();
        for (const [n, delay] of delays.entries()) {
            const put = (await attempt(todo)) ?? 0;
            expect(put, `attempt ${n + 1}`).to.be.within(delay * 0.8, delay * 1.2);
            // Not before its time, whoever asks.
            expect((await attempt(todo)) ?? 0).to.be.within(1, put);
            expect(receiver.received).to.have.length(n + 1);
            await app.advance(put);
        }
        expect(await attempt(todo)).to.be.null();
        expect(receiver.received).to.have.length(8);
        expect(await stored(todo)).to.include({ status: 'failed', reason: 'exhausted', tries: '8' });
        expect((await shown()).isActive).to.be.true();
        const bodies = new Set(receiver.received.map(({ body, headers }) => `${headers['webhook-id']} ${body}`));
        expect(bodies.size).to.equal(1);
    });

    for (const failures of [1, 3, 7]) {
        it(`delivers to a receiver that fails ${failures} times`, async () => {
            receiver.status = (n) => (n < failures ? 500 : 200);
            const todo = await takeOne();
            for (let n = 0; n < failures; n++) await app.advance((await attempt(todo)) ?? 0);
            expect((await shown()).failingSince).to.not.be.null();
            expect(await attempt(todo)).to.be.null();
            expect(await stored(todo)).to.include({ status: 'delivered', tries: String(failures + 1) });
            expect(await shown()).to.include({ failingSince: null, lastStatus: 200 });
        });
    }

    it('sends the same body though the webhook’s settings have changed, to where it is now', async () => {
        receiver.status = (n) => (n === 0 ? 500 : 200);
        const todo = await takeOne();
        const put = await attempt(todo);
        const mapping = { kind: 'type' };
        await ada.call('PATCH', webhook.path, { payload: { mapping, format: 'slack', url: `${receiver.url}/new` } });
        await app.advance(put ?? 0);
        await attempt(todo);
        expect(new Set(receiver.received.map(({ body }) => body)).size).to.equal(1);
    });

    it('counts what two workers do at once as one attempt', async () => {
        receiver.status = 500;
        const todo = await takeOne();
        await Promise.all(Array.from({ length: 4 }, () => attempt(todo)));
        expect(await stored(todo)).to.include({ status: 'pending', tries: '1' });
    });

    it('disables a webhook whose receiver is gone, once, and cancels what waits', async () => {
        receiver.status = 410;
        const [first = NONE, second = NONE, third = NONE] = await take(app, ada.tenantId, [
            newEvent(),
            newEvent(),
            newEvent(),
        ]);
        expect(await Promise.all([attempt(first), attempt(second)])).to.equal([null, null]);
        expect(await attempt(third)).to.be.null();
        expect(await shown()).to.include({ isActive: false, disabledReason: 'gone', revision: 2 });
        expect(await stored(first)).to.include({ status: 'failed', reason: 'gone' });
        expect(await stored(third)).to.include({ status: 'cancelled', reason: 'disabled' });
        const told = await eventsOf(app, ada.tenantId, 'webhook.disabled');
        expect(told).to.equal([{ type: 'webhook.disabled', data: { webhookId: webhook.id, reason: 'gone' } }]);
        const audit = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'webhook.disable');
        expect(audit).to.have.length(1);
        expect(audit[0]).to.include({ resourceId: webhook.id, result: 'success' });
        expect(await take(app, ada.tenantId, [newEvent()])).to.equal([]);
    });

    it('disables a webhook after 120 hours without a success, not before', async () => {
        receiver.status = 500;
        await attempt(await takeOne());
        await app.advance(119 * HOUR);
        const late = await takeOne();
        expect(await attempt(late)).to.be.a.number();
        expect((await shown()).isActive).to.be.true();
        await app.advance(HOUR);
        expect(await attempt(late)).to.be.null();
        expect(await stored(late)).to.include({ status: 'failed', reason: 'failing' });
        expect(await shown()).to.include({ isActive: false, disabledReason: 'failing' });
        expect(await eventsOf(app, ada.tenantId, 'webhook.disabled')).to.have.length(1);
    });

    it('tells of no event for what becomes of deliveries', async () => {
        receiver.status = (n) => (n === 0 ? 500 : 200);
        const before = (await eventsOf(app, ada.tenantId, '')).length;
        const todo = await takeOne();
        await app.advance((await attempt(todo)) ?? 0);
        await attempt(todo);
        expect(await eventsOf(app, ada.tenantId, '')).to.have.length(before);
    });

    it('sends nothing of a tenant that is suspended until it is active again, and not after a week', async () => {
        const [todo = NONE, other = NONE] = await take(app, ada.tenantId, [newEvent(), newEvent()]);
        await setStatus('suspended');
        expect(await attempt(todo)).to.equal(10 * MINUTE);
        await setStatus('active');
        await app.advance(10 * MINUTE);
        expect(await attempt(todo)).to.be.null();
        await app.advance(7 * 24 * HOUR);
        expect(await attempt(other)).to.be.null();
        expect(await stored(other)).to.include({ status: 'cancelled', reason: 'expired' });
        expect(receiver.received).to.have.length(1);
    });

    it('finds nothing to do for a webhook that was deleted', async () => {
        const todo = await takeOne();
        await ada.call('DELETE', webhook.path);
        expect(await attempt(todo)).to.be.null();
        expect(receiver.received).to.be.empty();
        expect(await take(app, ada.tenantId, [newEvent()])).to.equal([]);
    });
});

describe('the limits of a webhook', () => {
    it('let 60 go at once, and give those after them their turns, a second apart, over two replicas', async () => {
        const replicas = await startReplicas({ config: PRIVATE_WEBHOOKS });
        const { tenantId, call } = await newTenant(replicas[0]);
        const { id } = await newWebhook({ call }, receiver.url);
        const todo = await take(
            replicas[0],
            tenantId,
            Array.from({ length: 90 }, () => newEvent()),
        );
        const results = await Promise.all(
            todo.map((one, n) => deliver(n % 2 ? replicas[0] : replicas[1], tenantId, one)),
        );
        const put = results.filter((delay) => delay !== null).toSorted((a, b) => a - b);
        expect(receiver.received.length).to.be.at.least(60);
        expect(put.length + receiver.received.length).to.equal(90);
        expect(put.length).to.be.above(0);
        for (const [n, delay] of put.entries()) expect(delay).to.be.within(0, (n + 1) * 1_000);
        // Who has a turn keeps it: it is not counted again.
        const rate = await replicas[0].redis.get(tenantKey(tenantId, 'webhook', id, 'rate', '60'));
        const waiting = todo.filter((_one, n) => results[n] !== null);
        for (const one of waiting) await deliver(replicas[1], tenantId, one);
        expect(await replicas[0].redis.get(tenantKey(tenantId, 'webhook', id, 'rate', '60'))).to.equal(rate);
        await Promise.all(replicas.map((replica) => replica.advance(31_000)));
        for (const one of waiting) expect(await deliver(replicas[1], tenantId, one)).to.be.null();
        expect(receiver.received).to.have.length(90);
        await Promise.all(replicas.map((replica) => replica.stop()));
    });

    it('are 1,000 an hour and 10,000 a day as well', async () => {
        for (const [window, most] of [
            [3_600, 1_000],
            [86_400, 10_000],
        ] as const) {
            const key = tenantKey(ada.tenantId, 'webhook', webhook.id, 'rate', String(window));
            const arrival = await app.redis.time().then(([s]) => (Number(s) + window + 60) * 1_000_000);
            const offset = Number((await storedWebhook(app, ada.tenantId, webhook.id)).createdAt) - Date.now();
            await app.redis.set(key, String(Math.round(arrival + offset * 1_000)));
            const delay = (await attempt(await takeOne())) ?? 0;
            expect(delay, String(window)).to.be.within(50_000, 61_000 + (window / most) * 1_000);
            await app.redis.del(key);
        }
        expect(receiver.received).to.be.empty();
    });
});

describe('the deliveries of a webhook', () => {
    it('are forgotten when they ended 7 days ago, and when 2,000 ended after them', async () => {
        const base = tenantKey(ada.tenantId, 'webhook', webhook.id);
        const [now, week] = [Date.now(), 7 * 24 * HOUR];
        const idOf = (n: number) => `dlv_${String(n).padStart(4, '0')}`;
        const times = Array.from({ length: 2_010 }, (_, n) => (n < 4 ? now - week - 1_000 : now - week / 2 + n));
        const entries = times.flatMap((time, n) => [String(time), idOf(n)]);
        for (const list of ['deliveries', 'ended']) await app.redis.zadd(`${base}:${list}`, ...entries);
        for (const n of [0, 10, 11]) await app.redis.hset(tenantKey(ada.tenantId, 'delivery', idOf(n)), 'id', idOf(n));
        await attempt(await takeOne());
        expect(await app.redis.zcard(`${base}:ended`)).to.equal(2_000);
        expect(await app.redis.zcard(`${base}:deliveries`)).to.equal(2_000);
        const left = [0, 10, 11].map((n) => app.redis.exists(tenantKey(ada.tenantId, 'delivery', idOf(n))));
        expect(await Promise.all(left)).to.equal([0, 0, 1]);
    });

    it('keep their last ten attempts', async () => {
        receiver.status = 500;
        let todo = await takeOne();
        for (let n = 0; n < 12; n++) {
            await attempt(todo);
            await ada.call('POST', `${webhook.path}/deliveries/${todo.deliveryId}/retry`);
            todo = { ...todo, round: String(n + 2) };
        }
        const { body } = await ada.call('GET', `${webhook.path}/deliveries/${todo.deliveryId}`);
        const answers = body.data.attempts.map(({ responseBody }: { responseBody: string }) => responseBody);
        expect(answers).to.equal(Array.from({ length: 10 }, (_, n) => `answer ${n + 3}`));
    });
});

describe('the deliveries of a webhook that is deleted', () => {
    it('are removed in steps, with all lists', async () => {
        const todo = await take(
            app,
            ada.tenantId,
            Array.from({ length: 450 }, () => newEvent()),
        );
        await attempt(todo[0] ?? NONE);
        await ada.call('DELETE', webhook.path);
        await app.server.plugins.webhooks.removeDeliveries({ tenantId: ada.tenantId, webhookId: webhook.id });
        const ids = [webhook.id, ...todo.map(({ deliveryId }) => deliveryId)];
        expect(await tracesOf(app, ada.tenantId, ids)).to.equal([]);
    });
});
