import { testVault } from './store.ts';
import { ChangeStore } from '../../plugins/threads/change-store.ts';
import { ThreadStore } from '../../plugins/threads/store.ts';
import { newId } from '../../src/ids.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { TestApp } from './app.ts';
import type { TestTenant } from './tenant.ts';

const AT_ONCE = 500;

/** The stores of threads as the program has them, where the tenant's admin has threads, and a thread still to be made. */
export function storesOf(app: TestApp, { tenantId, userId }: TestTenant) {
    const none = () => tenantKey(tenantId, 'none');
    const vault = testVault();
    const store = new ThreadStore(app.store, vault, { profile: none, providerKeys: none, tenant: none });
    const draft = {
        id: newId('thread'),
        userId,
        title: null,
        messageCount: 0,
        models: {},
        lastMessage: null,
        summary: null,
    };
    return { store, vault, changes: new ChangeStore(app.store, store), place: { tenantId, ownerId: userId }, draft };
}

/** Threads of the tenant's admin, made as the API makes them. */
export async function addThreads(app: TestApp, tenant: TestTenant, titles: string[]): Promise<string[]> {
    const { changes, draft } = storesOf(app, tenant);
    const ids: string[] = [];
    for (let from = 0; from < titles.length; from += AT_ONCE) {
        const made = titles
            .slice(from, from + AT_ONCE)
            .map((title) => changes.create(tenant.tenantId, { ...draft, id: newId('thread'), title }, {}));
        ids.push(...(await Promise.all(made)).map(({ id }) => id));
    }
    return ids;
}

/** Messages of a context, written behind the program's back; each of that many characters. Gives their ids. */
export async function addMessages(
    app: TestApp,
    { tenantId }: TestTenant,
    threadId: string,
    count: number,
    { length = 20, modelId = 'sandbox' } = {},
): Promise<string[]> {
    const thread = tenantKey(tenantId, 'thread', threadId);
    const ids = Array.from({ length: count }, () => newId('msg'));
    const from = Date.now();
    for (let at = 0; at < count; at += AT_ONCE) {
        const pipeline = app.redis.pipeline();
        for (const [n, id] of ids.slice(at, at + AT_ONCE).entries()) {
            const content = `${at + n} `.padEnd(length, 'x');
            const fields = { id, role: n % 2 ? 'assistant' : 'user', content, tokens: '1', status: 'complete' };
            // Two in a millisecond.
            const entry = `${from + Math.floor((at + n) / 2)}-${(at + n) % 2}`;
            pipeline.xadd(`${thread}:model:${modelId}:messages`, entry, ...Object.entries(fields).flat());
        }
        await pipeline.exec();
    }
    const models = JSON.parse((await app.redis.hget(thread, 'models')) ?? '{}');
    models[modelId] = { messageCount: count, lastMessageAt: from };
    await app.redis.hset(thread, 'models', JSON.stringify(models));
    await app.redis.hincrby(thread, 'messageCount', count);
    return ids;
}
