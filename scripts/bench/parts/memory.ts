import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { scriptCharge } from '../../../plugins/billing/entry.ts';
import { BillingStore } from '../../../plugins/billing/store.ts';
import { createKeyStore } from '../../../plugins/keys/store.ts';
import { ChangeStore } from '../../../plugins/threads/change-store.ts';
import { encodeMessage, newMessage, preview } from '../../../plugins/threads/message-codec.ts';
import { DeliveryStore } from '../../../plugins/webhooks/delivery-store.ts';
import { WebhookStore } from '../../../plugins/webhooks/store.ts';
import { newId } from '../../../src/ids.ts';
import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { createRecords } from '../../../src/redis/create-records.ts';
import { startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { audited, done } from '../../../src/redis/outbox.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { newKeys, type Part } from '../scene.ts';
import { Ground, sessionOf } from '../seed.ts';

import type { Figures } from '../figures.ts';

const RECORDS = 10_000;
const AT_ONCE = 100;
/** Of a message, in bytes. */
const TEXT = 500;
const THREADS_OF_A_USER = 100;
const MESSAGES_IN_A_THREAD = 100;
const DELIVERIES_OF_A_WEBHOOK = 1_000;
const SETTLE_MS = 300;
/** The least: nobody logs in. */
const BCRYPT_COST = 4;
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64)';
const MODEL = 'claude-sonnet-4-5';

/** Makes the n-th record in a tenant, as the API would. */
type Maker = (n: number) => Promise<unknown>;
type Prepare = (ground: Ground, tid: string) => Maker | Promise<Maker>;

/**
 * Bytes of Redis' memory that a record takes with all its indexes, on average of 10,000 that the API's stores make: in
 * a server with the API's settings, but without the API, whose jobs would add to them.
 */
export const measureMemory: Part = async ({ folder }) => {
    const redis = await startEmbeddedRedis(join(folder, 'memory'), createLogger({ level: 'silent', pretty: false }));
    const ground = new Ground(redis.path, { keys: newKeys(), bcryptCost: BCRYPT_COST });
    try {
        const figures: Record<string, Figures> = {};
        for (const [name, prepare] of Object.entries(KINDS)) {
            figures[`memory: ${name}`] = { bytes: await bytesOf(ground, prepare) };
        }
        return figures;
    } finally {
        ground.close();
        await redis.stop();
    }
};

async function bytesOf(ground: Ground, prepare: Prepare): Promise<number> {
    await ground.redis.flushall('SYNC');
    const make = await prepare(ground, await ground.addTenant('bench.example'));
    const before = await usedBytes(ground);
    for (let made = 0; made < RECORDS; made += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => make(made + n)));
    }
    return ((await usedBytes(ground)) - before) / RECORDS;
}

const KINDS: Record<string, Prepare> = {
    thread: (ground, tid) => threadMaker(ground, tid, RECORDS / THREADS_OF_A_USER),
    'thread of a user with 10,000': (ground, tid) => threadMaker(ground, tid, 1),
    'thread with its first two messages': conversationMaker,
    'message of 500 bytes': messageMaker,
    user: (ground, tid) => (n) => {
        const details = { email: `ada.lovelace${n}@example.com`, displayName: 'Ada Lovelace', role: 'user' } as const;
        const { draft } = ground.users.draft(tid, { ...details, passwordHash: randomBytes(30).toString('hex') });
        return createRecords(ground.store)(tid, [draft]);
    },
    session: (ground, tid) => () => ground.sessions.create(tid, { ...sessionOf(newId('user')), userAgent: BROWSER }),
    'API key': keyMaker,
    'delivery to a webhook': deliveryMaker,
    'movement of credits': movementMaker,
    'event and audit entry of a change': outboxMaker,
    'the same as the first of its user': (ground, tid) => {
        const make = outboxMaker(ground, tid);
        return (n) => make(n, newId('user'));
    },
};

const threadOf = (userId: string) => ({
    id: newId('thread'),
    userId,
    title: 'Rain in the spring',
    messageCount: 0,
    models: {},
    lastMessage: null,
    summary: null,
});

function threadMaker({ store, threads }: Ground, tid: string, users: number): Maker {
    const changes = new ChangeStore(store, threads);
    const ids = Array.from({ length: users }, () => newId('user'));
    return (n) => changes.create(tid, threadOf(ids[n % users] ?? ''), {});
}

/** A question or an answer to it. */
function messageOf(tid: string, userId: string, threadId: string, n: number) {
    const place = { tenantId: tid, ownerId: userId, threadId, modelId: MODEL };
    const content = randomBytes(TEXT / 2).toString('hex');
    const question = { ...newMessage(place, newId('msg')), content, tokens: 125 };
    if (n % 2 === 0) return question;
    const usage = { inputFresh: 125, cacheRead: 0, cacheWrite: 0, output: 125, reasoning: 0, isEstimated: false };
    const of = { role: 'assistant', replyTo: newId('msg'), finishReason: 'stop', usage } as const;
    return { ...question, ...of };
}

function messageMaker({ redis }: Ground, tid: string): Maker {
    const threads = Array.from({ length: RECORDS / MESSAGES_IN_A_THREAD }, () => newId('thread'));
    return (n) => {
        const threadId = threads[n % threads.length] ?? '';
        const message = messageOf(tid, '', threadId, Math.floor(n / threads.length));
        return redis.xadd(messagesKey(tid, threadId), '*', ...encodeMessage(message));
    };
}

const messagesKey = (tid: string, threadId: string): string =>
    tenantKey(tid, 'thread', threadId, 'model', MODEL, 'messages');

function conversationMaker({ store, redis, threads }: Ground, tid: string): Maker {
    const changes = new ChangeStore(store, threads);
    const ids = Array.from({ length: RECORDS / THREADS_OF_A_USER }, () => newId('user'));
    return async (n) => {
        const userId = ids[n % ids.length] ?? '';
        const { id } = await changes.create(tid, threadOf(userId), {});
        const messages = [0, 1].map((which) => messageOf(tid, userId, id, which));
        for (const message of messages) await redis.xadd(messagesKey(tid, id), '*', ...encodeMessage(message));
        const [, answer] = messages;
        await redis.hset(tenantKey(tid, 'thread', id), {
            messageCount: 2,
            models: JSON.stringify({ [MODEL]: { messageCount: 2, lastMessageAt: Date.now() } }),
            lastMessage: JSON.stringify(answer && preview(answer)),
        });
    };
}

function keyMaker({ store, vault, tenants }: Ground, tid: string): Maker {
    const keys = createKeyStore(store, vault, tenants);
    return () => {
        const userId = newId('user');
        const hash = randomBytes(32).toString('base64url');
        const none = { requestsPerMinute: null, lastUsedAt: null, previousHash: null, previousUntil: null };
        const validUntil = new Date(Date.now() + 86_400_000).toISOString();
        const scopes = ['thread:read', 'thread:write', 'model:call'];
        const key = { id: newId('key'), userId, name: 'Nightly report', scopes, validUntil, hash, ...none };
        return keys.create({ tenantId: tid, ownerId: userId }, key, 1, {});
    };
}

async function deliveryMaker({ store, vault, tenants }: Ground, tid: string): Promise<Maker> {
    const webhooks = new WebhookStore(store, vault);
    const deliveries = new DeliveryStore(store, vault, webhooks, (tenantId) => tenants.key(tenantId));
    const made = Array.from({ length: RECORDS / DELIVERIES_OF_A_WEBHOOK }, async () => {
        const webhook = {
            id: newId('hook'),
            url: 'https://example.com/hook',
            description: null,
            filter: { events: ['*'], conditions: [] },
            mapping: null,
            format: 'standard' as const,
            isActive: true,
            disabledReason: null,
            failingSince: null,
            lastDeliveryAt: null,
            lastStatus: null,
            secret: '',
            previousSecret: null,
            previousSecretExpiresAt: null,
        };
        return (await webhooks.create(tid, webhook, {})).id;
    });
    const ids = await Promise.all(made);
    return (n) => {
        const data = { threadId: newId('thread'), userId: newId('user') };
        const event = { id: newId('evt'), type: 'thread.created', timestamp: new Date().toISOString(), data };
        const webhookId = ids[n % ids.length] ?? '';
        const to = { webhookId, format: 'standard', mapping: null } as const;
        return deliveries.store(tid, [{ id: newId('dlv'), ...to, event: { ...event, requestId: newId('req') } }]);
    };
}

function movementMaker({ store }: Ground, tid: string): Maker {
    const billing = new BillingStore(store, Date.now);
    const users = Array.from({ length: 100 }, () => newId('user'));
    return (n) => {
        const threadId = newId('thread');
        const usage = { inputFresh: 125, cacheRead: 0, cacheWrite: 0, output: 125, reasoning: 0, isEstimated: false };
        const about = { modelId: MODEL, requestId: newId('req'), threadId, messageId: newId('msg') };
        const fields = { ...about, priceVersion: '2026-11-01', usage: JSON.stringify(usage) };
        const payer = { tenantId: tid, userId: users[n % users.length] ?? '' };
        const index = [`thread:${threadId}`];
        const charge = scriptCharge(newId('op'), payer, 1_000n, { type: 'model_usage', fields, index });
        return billing.charge(tid, charge);
    };
}

function outboxMaker({ store }: Ground, tid: string): (n: number, userId?: string) => Promise<unknown> {
    const append = appendOutbox(store);
    const users = Array.from({ length: 10 }, () => newId('user'));
    return (n, userId = users[n % users.length] ?? '') => {
        const threadId = newId('thread');
        const caller = { requestId: newId('req'), ipAddress: '127.0.0.1', userAgent: BROWSER };
        return append(tid, {
            events: [{ type: 'thread.created', data: { threadId, userId } }],
            audit: [audited({ ...caller, userId }, done('thread', 'create', threadId))],
        });
    };
}

/** What is in use for data; not what waits to be written to clients and files. */
async function usedBytes({ redis }: Ground): Promise<number> {
    await sleep(SETTLE_MS);
    const told = await redis.info('memory');
    const figure = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(told)?.[1]);
    return figure('used_memory') - figure('mem_clients_normal') - figure('mem_aof_buffer');
}
