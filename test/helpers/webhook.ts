import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { webhookConsumer } from '../../plugins/webhooks/consumer.ts';
import { DeliveryQueue } from '../../plugins/webhooks/delivery-queue.ts';
import { DeliveryStore, type Todo } from '../../plugins/webhooks/delivery-store.ts';
import { WebhookStore } from '../../plugins/webhooks/store.ts';
import { newId } from '../../src/ids.ts';
import { PutOff } from '../../src/jobs/put-off.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { Vault } from '../../src/security/vault.ts';

import type { AddressInfo } from 'node:net';
import type { TestApp } from './app.ts';
import type { TestTenant } from './tenant.ts';
import type { TenantEvent } from '../../plugins/events/api.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';

/** What a receiver was sent. */
export interface ReceivedWebhook {
    headers: Record<string, string>;
    body: string;
}

/** A receiver of webhooks on 127.0.0.1. */
export interface TestReceiver {
    url: string;
    received: ReceivedWebhook[];
    /** What it answers: a status for all, or for each by its number from 0. */
    status: number | ((n: number) => number);
    /** Waited for before it answers. */
    before: () => Promise<unknown>;
    /** Waits until it was sent so many. */
    until: (count: number) => Promise<ReceivedWebhook[]>;
    stop: () => Promise<void>;
}

export async function startReceiver(): Promise<TestReceiver> {
    const received: ReceivedWebhook[] = [];
    const server = createServer((request, response) => {
        void (async () => {
            const chunks: Buffer[] = [];
            for await (const chunk of request) chunks.push(chunk as Buffer);
            const n = received.push({
                headers: textOf(request.headers),
                body: Buffer.concat(chunks).toString(),
            });
            await receiver.before();
            const { status } = receiver;
            response.writeHead(typeof status === 'number' ? status : status(n - 1)).end(`answer ${n}`);
        })().catch(() => response.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const receiver: TestReceiver = {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
        received,
        status: 204,
        before: async () => undefined,
        async until(count) {
            while (received.length < count) await sleep(5);
            return received;
        },
        stop: () =>
            new Promise((resolve) => {
                server.close(() => resolve());
                server.closeAllConnections();
            }),
    };
    return receiver;
}

const textOf = (headers: IncomingHttpHeaders): Record<string, string> =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** Lets webhooks be sent to 127.0.0.1. */
export const PRIVATE_WEBHOOKS = { WEBHOOK_ALLOW_PRIVATE: true };

export interface TestWebhook {
    id: string;
    path: string;
    secret: string;
}

/** A new webhook of a tenant, for all threads' events unless something else is said. */
export async function newWebhook({ call }: Pick<TestTenant, 'call'>, url: string, more = {}): Promise<TestWebhook> {
    const payload = { url, filter: { events: ['thread.*'] }, ...more };
    const answer = await call('POST', '/api/webhooks', { payload });
    if (answer.status !== 201) throw new Error(`No webhook: ${answer.text}`);
    const { webhook, secret } = answer.body.data;
    return { id: webhook.id, path: `/api/webhooks/${webhook.id}`, secret };
}

/** An event as the relay hands it over. */
export const newEvent = (type = 'thread.created', data: Record<string, unknown> = { threadId: 'thread_1' }) =>
    ({ id: newId('evt'), type, timestamp: new Date().toISOString(), data }) satisfies TenantEvent;

/** Jobs that are noted and not done. */
export class NotedJobs implements Jobs {
    readonly noted: { name: string; data: Record<string, string>; id: string | undefined }[] = [];
    /** Fails the next one, as Redis that is away. */
    isAway = false;

    async add(name: string, data: Record<string, string>, { id }: { id?: string } = {}): Promise<void> {
        if (this.isAway) throw new Error('Connection is closed.');
        this.noted.push({ name, data, id });
    }

    async repeat(): Promise<void> {}
    async close(): Promise<void> {}
}

/** What the relay, the workers and the stores do for webhooks, one step at a time. */
export function webhookParts(app: TestApp, jobs: Jobs = new NotedJobs()) {
    const vault = new Vault(app.config.VAULT_KEYS);
    const store = new WebhookStore(app.store, vault);
    const { tenants } = app.server.plugins;
    const tenantKeyOf = (tenantId: string) => tenants.key(tenantId);
    const checkRestoring = (tenantId: string) => tenants.checkRestoring(tenantId);
    const deliveries = new DeliveryStore(app.store, vault, store, tenantKeyOf);
    const queue = new DeliveryQueue(jobs);
    return { store, deliveries, queue, consumer: webhookConsumer({ store, deliveries, queue, checkRestoring }) };
}

/** Hands events over as the relay does; the jobs that were asked for. */
export async function take(app: TestApp, tenantId: string, events: TenantEvent[]): Promise<Todo[]> {
    const jobs = new NotedJobs();
    await webhookParts(app, jobs).consumer.take(tenantId, events);
    return jobs.noted.map(({ data }) => data as unknown as Todo);
}

/** Does a job; for how long it was put off, or null when it is over. */
export async function deliver(app: TestApp, tenantId: string, todo: Todo): Promise<number | null> {
    try {
        await app.server.plugins.webhooks.deliver({ tenantId, ...todo });
        return null;
    } catch (error) {
        if (error instanceof PutOff) return error.delayMs;
        throw error;
    }
}

/** What is stored of a delivery. */
export const storedDelivery = (app: TestApp, tenantId: string, id: string): Promise<Record<string, string>> =>
    app.redis.hgetall(tenantKey(tenantId, 'delivery', id));

/** Changes what is stored of a webhook behind the program's back, and gives it. */
export async function storedWebhook(app: TestApp, tenantId: string, id: string, change: Record<string, string> = {}) {
    const key = tenantKey(tenantId, 'webhook', id);
    if (Object.keys(change).length > 0) await app.redis.hset(key, change);
    return app.redis.hgetall(key);
}
