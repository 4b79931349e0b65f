import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Webhook } from 'standardwebhooks';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { readAll, restore, tenantData, wipe } from '../../helpers/tenant-data.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import { tracesOf } from '../../helpers/vm.ts';
import {
    deliver,
    newEvent,
    newWebhook,
    PRIVATE_WEBHOOKS,
    startReceiver,
    storedDelivery,
    storedWebhook,
    take,
    webhookParts,
    type TestReceiver,
} from '../../helpers/webhook.ts';

import type { TenantData } from '../../../plugins/backups/api.ts';
import type { Todo } from '../../../plugins/webhooks/delivery-store.ts';
import type { ApiError } from '../../../src/http/errors.ts';
import type { Aggregate, Component } from '../../../src/redis/aggregate.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach, afterEach } = lab;

const CONFIG: Component[] = ['config'];

describe('webhooks that are restored', () => {
    let redis: TestRedis;
    let app: TestApp;
    let data: TenantData;
    let tenant: TestTenant;
    let receiver: TestReceiver;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path, worker: true, config: PRIVATE_WEBHOOKS });
        data = tenantData(app);
    });
    after(async () => {
        await app.stop();
        await redis.stop();
    });
    beforeEach(async () => {
        tenant = await newTenant(app);
        receiver = await startReceiver();
    });
    afterEach(() => receiver.stop());

    const read = () => readAll(data, tenant.tenantId, CONFIG);
    const putBack = (all: Aggregate[]) => restore(data, tenant.tenantId, all, CONFIG);
    const list = async () => (await tenant.call('GET', '/api/webhooks')).body.data.webhooks;
    const subscribers = () => app.redis.smembers(tenantKey(tenant.tenantId, 'events', 'subscribers'));

    it('are what they were, and are told of what happens from then on, signed with their secret', async () => {
        const { secret } = await newWebhook(tenant, receiver.url, { description: 'Ours', format: 'standard' });
        await newWebhook(tenant, receiver.url, { isActive: false });
        const was = await list();
        const all = await readAll(data, tenant.tenantId);
        expect(all.filter(({ kind }) => kind === 'webhook')).to.have.length(2);
        await wipe(app.redis, tenant.tenantId);
        // Nobody remembers that the tenant ever had one.
        await app.redis.zrem(tenantKey('platform', 'webhook-tenants'), tenant.tenantId);
        await restore(data, tenant.tenantId, all);
        expect(await readAll(data, tenant.tenantId)).to.equal(all);
        expect(await list()).to.equal(was);
        expect(await subscribers()).to.equal(['webhooks']);
        expect(await app.redis.zscore(tenantKey('platform', 'webhook-tenants'), tenant.tenantId)).to.not.be.null();

        const threadId = await newThread(tenant);
        const [post = { headers: {}, body: '' }] = await receiver.until(1);
        const event = new Webhook(secret).verify(post.body, post.headers) as { data: { threadId: string } };
        expect(event.data.threadId).to.equal(threadId);
    });

    it('are told of what happens when the tenant’s last one was deleted and the handing over has ended', async () => {
        const { path } = await newWebhook(tenant, receiver.url);
        const all = await read();
        await tenant.call('DELETE', path);
        await app.server.plugins.events.unsubscribe(tenant.tenantId, 'webhooks');
        await putBack(all);
        expect((await tenant.call('GET', path)).status).to.equal(200);
        const threadId = await newThread(tenant);
        const [post] = await receiver.until(1);
        expect(JSON.parse(post?.body ?? '{}').data.threadId).to.equal(threadId);
    });

    it('are gone when they came later, with their deliveries; nothing more is sent to them', async () => {
        const kept = await startReceiver();
        const { id: keptId } = await newWebhook(tenant, kept.url);
        const all = await read();
        const { id, path } = await newWebhook(tenant, receiver.url);
        receiver.status = 500;
        await newThread(tenant);
        await Promise.all([receiver.until(1), kept.until(1)]);
        const [todo] = await waiting(id, 1);
        expect((await tenant.call('GET', `${path}/deliveries`)).body.data.deliveries).to.have.length(1);
        const { tenantId } = tenant;

        await putBack(all);
        expect((await list()).map((webhook: { id: string }) => webhook.id)).to.equal([keptId]);
        expect((await tenant.call('GET', path)).status).to.equal(404);
        expect(await tracesOf(app, tenantId, [id, String(todo)])).to.equal([]);
        // The job of the next attempt is there yet.
        expect(await deliver(app, tenantId, { deliveryId: String(todo), webhookId: id, round: '1' })).to.be.null();
        await newThread(tenant);
        await kept.until(2);
        expect(receiver.received).to.have.length(1);
        await kept.stop();
    });

    /** Ids of deliveries that wait for another attempt. */
    const waiting = async (webhookId: string, count: number): Promise<string[]> => {
        const pending = tenantKey(tenant.tenantId, 'webhook', webhookId, 'pending');
        const tries = async (id: string) => Number((await storedDelivery(app, tenant.tenantId, id)).tries ?? 0);
        for (;;) {
            const ids = await app.redis.zrange(pending, 0, '-1');
            const all = await Promise.all(ids.map(tries));
            if (all.filter((n) => n > 0).length >= count) return ids;
            await sleep(5);
        }
    };

    it('that stay keep their deliveries, those that wait among them', async () => {
        const { id, path } = await newWebhook(tenant, receiver.url);
        receiver.status = 500;
        await newThread(tenant);
        const [deliveryId = ''] = await waiting(id, 1);
        const all = await read();
        await tenant.call('PATCH', path, { payload: { description: 'another one' } });
        await putBack(all);
        expect((await list())[0].description).to.be.null();
        const { body } = await tenant.call('GET', `${path}/deliveries`);
        expect(body.data.deliveries.map((one: { id: string; status: string }) => [one.id, one.status])).to.equal([
            [deliveryId, 'pending'],
        ]);
        receiver.status = 204;
        expect((await tenant.call('POST', `${path}/deliveries/${deliveryId}/retry`)).status).to.equal(202);
        await receiver.until(2);
    });

    it('are signed with the secret of now, not with one that was changed since', async () => {
        const { path, secret } = await newWebhook(tenant, receiver.url);
        const all = await read();
        const rotated = await tenant.call('POST', `${path}/rotate-secret`, { payload: { graceSeconds: 0 } });
        await putBack(all);
        await newThread(tenant);
        const [post = { headers: {}, body: '' }] = await receiver.until(1);
        new Webhook(rotated.body.data.secret).verify(post.body, post.headers);
        expect(() => new Webhook(secret).verify(post.body, post.headers)).to.throw();
    });

    it('are told afterwards of what happens, and sent what comes due, while their tenant is locked', async () => {
        const { tenantId } = tenant;
        const { id } = await newWebhook(tenant, receiver.url);
        const [todo] = await take(app, tenantId, [newEvent()]);
        const info = tenantKey(tenantId, 'info');
        await app.redis.hset(info, 'restoring', 'restore_1');
        expect(await deliver(app, tenantId, todo as Todo)).to.equal(15_000);
        const refused = await take(app, tenantId, [newEvent()]).catch((error: ApiError) => error.data?.code);
        expect(refused).to.equal('TENANT_RESTORING');
        expect(receiver.received).to.equal([]);
        await app.redis.hdel(info, 'restoring');
        expect(await deliver(app, tenantId, todo as Todo)).to.be.null();
        expect(await storedWebhook(app, tenantId, id)).to.include({ lastStatus: '204' });
    });

    it('begin anew with their receiver, however long it had failed by then', async () => {
        const { id } = await newWebhook(tenant, receiver.url);
        const { tenantId } = tenant;
        const past = { failingSince: '1000', lastDeliveryAt: '2000', lastStatus: '500' };
        await storedWebhook(app, tenantId, id, past);
        const all = await read();
        await putBack(all);
        expect((await list())[0]).to.include({ failingSince: null, lastDeliveryAt: null, lastStatus: null });
        receiver.status = 500;
        await newThread(tenant);
        await waiting(id, 1);
        expect((await list())[0]).to.include({ isActive: true, lastStatus: 500 });
    });

    it('have nothing of what their deletion had left, and all of what comes later', async () => {
        const { id, path } = await newWebhook(tenant, receiver.url);
        const { tenantId } = tenant;
        receiver.status = 500;
        await newThread(tenant);
        const [old = ''] = await waiting(id, 1);
        const all = await read();
        // As if a worker had not come to remove them.
        await webhookParts(app).store.delete(tenantId, id, undefined, {});
        await putBack(all);
        expect(await storedDelivery(app, tenantId, old)).to.equal({});
        expect((await tenant.call('GET', `${path}/deliveries`)).body.data.deliveries).to.equal([]);
        const [todo] = await take(app, tenantId, [newEvent()]);
        await app.server.plugins.webhooks.removeDeliveries({ tenantId, webhookId: id });
        expect(await storedDelivery(app, tenantId, String(todo?.deliveryId))).to.include({ status: 'pending' });
    });

    it('are of the component `config`: a restore of another leaves them as they are', async () => {
        const before = await readAll(data, tenant.tenantId);
        const { path } = await newWebhook(tenant, receiver.url);
        await restore(data, tenant.tenantId, before, ['database', 'deployment']);
        expect((await tenant.call('GET', path)).status).to.equal(200);
        await restore(data, tenant.tenantId, before, ['database', 'config']);
        expect((await tenant.call('GET', path)).status).to.equal(404);
    });
});
