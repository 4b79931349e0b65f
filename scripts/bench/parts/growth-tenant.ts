import { setTimeout as sleep } from 'node:timers/promises';

import { ChangeStore } from '../../../plugins/threads/change-store.ts';
import { encodeMessage, newMessage } from '../../../plugins/threads/message-codec.ts';
import { newId } from '../../../src/ids.ts';
import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { createRecords } from '../../../src/redis/create-records.ts';
import { sealCursor } from '../../../src/redis/cursor.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { done } from '../../../src/redis/outbox.ts';
import { copierOf, copyId, NUMBER, type Copier } from '../copies.ts';
import { MODELS } from '../scene.ts';

import type { Ground, SeededUser } from '../seed.ts';

const VISITORS = 50;
/** Each is in the title of one thread. */
export const RARE_WORDS = Array.from({ length: 50 }, (_, n) => `rare${n}x`);
/** So that nothing else is as old as an original. */
const APART_MS = 3;

/** A record of the stores' making, and when they made it. */
interface Original {
    id: string;
    at: number;
}

/** The originals of what a tenant has many of. */
interface Originals {
    thread: Original;
    user: Original;
}

/**
 * A tenant with so many users, audit entries and movements in its ledger. Its admin has so many threads, and one with
 * so many messages.
 */
export interface GrownTenant {
    tid: string;
    size: number;
    admin: SeededUser;
    /** Users who are logged in. */
    visitors: SeededUser[];
    /** Threads that the requests have created. */
    created: string[];
    threadId: (number: number) => string;
    userId: (number: number) => string;
    /** A cursor in the middle of the admin's threads. */
    middle: () => string;
}

/** A tenant with the originals of all that it is to have many of; it is small still, so that they are quickly found. */
export async function plantTenant(ground: Ground, size: number): Promise<() => Promise<GrownTenant>> {
    const domain = `growth${size}.example`;
    const tid = await ground.addTenant(domain);
    await ground.redis.hset(tenantKey(tid, 'info'), 'limits', JSON.stringify({ requestsPerMinute: 1_000_000 }));
    const admin = await ground.addUser(tid, `admin@${domain}`, 'admin');
    const copiers: Copier[] = [];
    const plant = async (among: string[], make: () => Promise<Original>): Promise<Original> => {
        await sleep(APART_MS);
        const original = await make();
        await sleep(APART_MS);
        copiers.push(await copierOf(ground, { tid, among, ...original }));
        return original;
    };
    const thread = await plant(['thread:*', `user:${admin.userId}:threads:*`], () => addThread(ground, tid, admin));
    const user = await plant(['user:*', 'users*'], () => addAccount(ground, tid, domain));
    await plant([`thread:${admin.threadId}:*`], () => addMessage(ground, tid, admin, size));
    await plant(['audit'], () => addAuditEntry(ground, tid));
    await plant(['credits:ledger'], () => grantOf(ground, tid));
    return async () => {
        for (const copy of copiers) await copy(size);
        return grownTenant(ground, { tid, size, admin }, { thread, user });
    };
}

async function grownTenant(
    ground: Ground,
    tenant: Pick<GrownTenant, 'tid' | 'size' | 'admin'>,
    { thread, user }: Originals,
): Promise<GrownTenant> {
    const { tid, size, admin } = tenant;
    const userId = (number: number): string => copyId(user.id, number);
    const visitors = Array.from({ length: VISITORS }, async (): Promise<SeededUser> => {
        const id = userId(anyOf(size));
        return { userId: id, email: id, threadId: '', token: await ground.logIn(tid, id, id) };
    });
    const list = `${ground.threads.threads.orderKey({ tenantId: tid, ownerId: admin.userId }, 'updated_at')}:desc`;
    const threadId = (number: number): string => copyId(thread.id, number);
    const changes = new ChangeStore(ground.store, ground.threads);
    for (const [n, word] of RARE_WORDS.entries()) {
        const number = ((n + 1) * size) / RARE_WORDS.length;
        await changes.rename({ tenantId: tid, ownerId: admin.userId }, threadId(number), `Thread ${word}`, {});
    }
    return {
        ...tenant,
        visitors: await Promise.all(visitors),
        created: [],
        threadId,
        userId,
        middle: () => {
            const number = Math.ceil(size / 2 + (Math.random() * size) / 8);
            const score = String(thread.at - size - 1 + number);
            return sealCursor(ground.vault, list, { score, id: threadId(number) });
        },
    };
}

/** A number from 1 to that one. */
export const anyOf = (most: number): number => Math.ceil(Math.random() * most);

async function addThread({ store, threads }: Ground, tid: string, { userId }: SeededUser): Promise<Original> {
    const thread = { userId, messageCount: 0, models: {}, lastMessage: null, summary: null };
    const { id, createdAt } = await new ChangeStore(store, threads).create(
        tid,
        { ...thread, id: newId('thread'), title: 'Thread' },
        {},
    );
    return { id, at: Date.parse(createdAt) };
}

async function addAccount({ store, users }: Ground, tid: string, domain: string): Promise<Original> {
    const email = `user${NUMBER}@${domain}`;
    const { user, draft } = users.draft(tid, { email, displayName: email, role: 'user', passwordHash: null });
    return { id: user.id, at: await createRecords(store)(tid, [draft]) };
}

/** A message of the admin's thread, which says that it has so many. */
async function addMessage(
    { redis }: Ground,
    tid: string,
    { userId, threadId }: SeededUser,
    size: number,
): Promise<Original> {
    const place = { tenantId: tid, ownerId: userId, threadId, modelId: MODELS.free };
    const message = { ...newMessage(place, newId('msg')), content: 'word '.repeat(20), tokens: 20 };
    const key = tenantKey(tid, 'thread', threadId);
    const entry = await redis.xadd(`${key}:model:${MODELS.free}:messages`, '*', ...encodeMessage(message));
    const models = { [MODELS.free]: { messageCount: size + 1, lastMessageAt: Date.now() } };
    await redis.hset(key, { messageCount: size + 1, models: JSON.stringify(models) });
    return { id: message.id, at: timeOf(entry ?? '') };
}

async function addAuditEntry({ redis, store }: Ground, tid: string): Promise<Original> {
    const id = newId('req');
    const entry = { ...done('thread', 'create', newId('thread')), ipAddress: '127.0.0.1', correlationId: id };
    await appendOutbox(store)(tid, { audit: [entry] });
    // A chain that does not fit is left alone: a million entries would be sealed while requests are measured.
    await redis.hset(tenantKey(tid, 'audit', 'head'), 'mac', 'none');
    return { id, at: await newestOf(redis, tenantKey(tid, 'audit')) };
}

/** What the tenant was given at its beginning. */
async function grantOf({ redis }: Ground, tid: string): Promise<Original> {
    const key = tenantKey(tid, 'credits', 'ledger');
    const [first] = await redis.xrange(key, '-', '+');
    const [, id = ''] = first?.[1] ?? [];
    return { id, at: await newestOf(redis, key) };
}

const newestOf = async (redis: Ground['redis'], key: string): Promise<number> =>
    timeOf((await redis.xrevrange(key, '+', '-', 'COUNT', 1))[0]?.[0] ?? '');

const timeOf = (entryId: string): number => Number(entryId.split('-')[0]);
