import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Webhook } from 'standardwebhooks';

import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { openQueue } from '../../helpers/jobs.ts';
import { startMailServer } from '../../helpers/mail.ts';
import { startProcess } from '../../helpers/process.ts';
import { newClient, post } from '../../helpers/program.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';
import { tracesOf } from '../../helpers/vm.ts';
import {
    deliver,
    newEvent,
    newWebhook,
    NotedJobs,
    PRIVATE_WEBHOOKS,
    startReceiver,
    storedDelivery,
    take,
    webhookParts,
    type TestReceiver,
} from '../../helpers/webhook.ts';

import type { AppOptions } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

let redis: TestRedis;
let receiver: TestReceiver;
const started: (() => Promise<unknown>)[] = [];

const start = async (options: AppOptions = {}): Promise<TestApp> => {
    const config = { ...PRIVATE_WEBHOOKS, ...options.config };
    const app = await startApp({ redisPath: redis.path, ...options, config });
    started.push(app.stop);
    return app;
};
const receive = async (): Promise<TestReceiver> => {
    const one = await startReceiver();
    started.push(one.stop);
    return one;
};

beforeEach(async () => {
    redis = await startRedis();
    receiver = await receive();
});

afterEach(async () => {
    for (const stop of started.splice(0).toReversed()) await stop();
    await redis.stop();
});

describe('webhooks', () => {
    it('are told of what happens, signed, each of it once', async () => {
        const app = await start({ worker: true });
        const ada = await newTenant(app);
        const { id, secret, path } = await newWebhook(ada, receiver.url);
        const threadIds: string[] = [];
        for (let n = 0; n < 5; n++) threadIds.push(await newThread(ada, `Thread ${n}`));
        await receiver.until(5);
        const told = receiver.received.map(({ body, headers }) => new Webhook(secret).verify(body, headers));
        const ids = (told as { data: { threadId: string } }[]).map(({ data }) => data.threadId);
        expect(ids.toSorted()).to.equal(threadIds.toSorted());
        const ended = `${tenantKey(ada.tenantId, 'webhook', id)}:ended`;
        while ((await app.redis.zcard(ended)) < 5) await sleep(5);
        const { body } = await ada.call('GET', `${path}/deliveries?status=delivered`);
        expect(body.data.deliveries).to.have.length(5);
        expect(receiver.received).to.have.length(5);
    });

    it('of one tenant that are slow do not hold up those of another', async () => {
        const app = await start({ worker: true });
        const [slow, quick] = [await newTenant(app), await newTenant(app)];
        let release = (): void => undefined;
        const released = new Promise<void>((resolve) => (release = resolve));
        receiver.before = () => released;
        const other = await receive();
        await newWebhook(slow, receiver.url);
        await newWebhook(quick, other.url);
        const jobs = await openQueue(redis.path, 'deliveries');
        started.push(jobs.close);
        const type = 'thread.created' as const;
        const events = Array.from({ length: 40 }, (_, n) => ({ type, data: { threadId: `thread_${n}` } }));
        await appendOutbox(app.store)(slow.tenantId, { events });
        await receiver.until(8);
        while ((await jobs.queue.getDelayedCount()) < 32) await sleep(5);
        await newThread(quick, 'A thread');
        await other.until(1);
        expect(receiver.received).to.have.length(8);
        release();
        await receiver.until(40);
    });

    it('are sent again what a worker was about to send when it was killed', async () => {
        const DATA_DIR = temporaryFolder();
        const environment = { DATA_DIR, WEBHOOK_ALLOW_PRIVATE: 'true' };
        const first = await startProcess(environment);
        const { token } = await newClient(first.url);
        const payload = { url: receiver.url, filter: { events: ['thread.*'] } };
        const { data } = await post(`${first.url}/api/webhooks`, payload, token);
        receiver.before = () => new Promise(() => undefined);
        await post(`${first.url}/api/threads`, { title: 'Another thread' }, token);
        await receiver.until(1);
        await first.stop('SIGKILL');
        receiver.before = async () => undefined;
        const second = await startProcess(environment);
        const [before, again] = await receiver.until(2);
        await second.stop();
        expect(again?.body).to.equal(before?.body);
        expect(again?.headers['webhook-id']).to.equal(before?.headers['webhook-id']);
        expect(() => new Webhook(data.secret).verify(again?.body ?? '', again?.headers ?? {})).to.not.throw();
    });
});

describe('the sweep of webhooks', () => {
    it('adds the job again of a delivery that has lost it', async () => {
        const app = await start();
        const ada = await newTenant(app);
        await newWebhook(ada, receiver.url);
        const [todo] = await take(app, ada.tenantId, [newEvent()]);
        const jobs = await openQueue(redis.path, 'deliveries');
        started.push(jobs.close);
        await app.server.plugins.webhooks.sweep();
        expect(await jobs.queue.getWaitingCount()).to.equal(0);
        await app.advance(121_000);
        await app.server.plugins.webhooks.sweep();
        const [job] = await jobs.queue.getWaiting();
        expect(job?.data).to.equal({ tenantId: ada.tenantId, ...todo });
        await app.advance(61_000);
        await app.server.plugins.webhooks.sweep();
        expect(await jobs.queue.getWaitingCount()).to.equal(1);
    });

    it('removes the deliveries of a webhook whose removal was lost, and ends the handing over then', async () => {
        const app = await start();
        const ada = await newTenant(app);
        const { id, path } = await newWebhook(ada, receiver.url);
        const [todo] = await take(app, ada.tenantId, [newEvent()]);
        await ada.call('DELETE', path);
        const subscribers = tenantKey(ada.tenantId, 'events', 'subscribers');
        await app.server.plugins.webhooks.sweep();
        expect(await tracesOf(app, ada.tenantId, [id, todo?.deliveryId ?? ''])).to.equal([]);
        // Another webhook may be on its way.
        expect(await app.redis.smembers(subscribers)).to.equal(['webhooks']);
        await app.advance(121_000);
        await app.server.plugins.webhooks.sweep();
        expect(await app.redis.smembers(subscribers)).to.equal([]);
        await newWebhook(ada, receiver.url);
        expect(await app.redis.smembers(subscribers)).to.equal(['webhooks']);
        await app.advance(600_000);
        await app.redis.del(subscribers);
        await app.server.plugins.webhooks.sweep();
        expect(await app.redis.smembers(subscribers)).to.equal(['webhooks']);
    });

    it('goes on with the next tenant when one fails', async () => {
        const app = await start();
        const [ada, bob] = [await newTenant(app), await newTenant(app)];
        for (const tenant of [ada, bob]) await newWebhook(tenant, receiver.url);
        const [todo] = await take(app, bob.tenantId, [newEvent()]);
        await app.redis.set(tenantKey(ada.tenantId, 'webhooks', 'removing'), 'not a list');
        await app.advance(121_000);
        await app.server.plugins.webhooks.sweep();
        const jobs = await openQueue(redis.path, 'deliveries');
        started.push(jobs.close);
        const [job] = await jobs.queue.getWaiting();
        expect(job?.data.deliveryId).to.equal(todo?.deliveryId);
        expect(app.logs.map(({ msg }) => msg)).to.include('Webhooks could not be looked after');
    });
});

describe('a webhook that is disabled', () => {
    it('is told of to each active admin of the tenant by mail, where there is a mail server', async () => {
        const mail = await startMailServer();
        started.push(mail.stop);
        const app = await start({ config: mail.config });
        const ada = await newTenant(app);
        const admin = await newUser(app, ada.tenantId, 'admin');
        await newUser(app, ada.tenantId, 'user');
        const { id } = await newWebhook(ada, `${receiver.url}?key=private`);
        receiver.status = 410;
        const [todo = { deliveryId: '', webhookId: '', round: '' }] = await take(app, ada.tenantId, [newEvent()]);
        expect(await deliver(app, ada.tenantId, todo)).to.be.null();
        expect(await storedDelivery(app, ada.tenantId, todo.deliveryId)).to.include({ reason: 'gone' });
        const jobs = await openQueue(redis.path);
        started.push(jobs.close);
        const asked = (await jobs.queue.getWaiting()).filter(({ name }) => name === 'tell-webhook-disabled');
        expect(asked).to.have.length(2);
        for (const { data } of asked) await app.server.plugins.webhooks.tellDisabled(data);
        const mails = await mail.until(2);
        expect(mails.map(({ to: [address = ''] }) => address).toSorted()).to.equal([ada.email, admin.email].toSorted());
        expect(mails[0]?.text).to.contain(id).and.contain('410').and.not.contain('private');
    });

    it('is told of to nobody by mail where there is none', async () => {
        const app = await start();
        const ada = await newTenant(app);
        await newWebhook(ada, receiver.url);
        receiver.status = 410;
        const noted = new NotedJobs();
        await webhookParts(app, noted).consumer.take(ada.tenantId, [newEvent()]);
        const { data } = noted.noted[0] ?? { data: {} };
        await app.server.plugins.webhooks.deliver({ tenantId: ada.tenantId, ...data });
        const jobs = await openQueue(redis.path);
        started.push(jobs.close);
        expect(await jobs.queue.getWaitingCount()).to.equal(0);
    });
});
