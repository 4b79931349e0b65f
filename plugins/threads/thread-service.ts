import { newId } from '../../src/ids.ts';
import { audited, type Outbox } from '../../src/redis/outbox.ts';

import type { Thread } from './api.ts';
import type { ThreadStore } from './store.ts';
import type { Page, PageQuery } from '../../src/redis/collection.ts';
import type { Actor } from '../../src/types/actor.ts';

export type ThreadService = ReturnType<typeof createThreadService>;

/** Threads of a user; another user's are not found. */
export function createThreadService(store: ThreadStore) {
    const { threads } = store;
    return {
        create(actor: Actor, title: string | null): Promise<Thread> {
            const thread = {
                id: newId('thread'),
                userId: actor.userId,
                title,
                messageCount: 0,
                models: {},
                lastMessage: null,
                summary: null,
            };
            return threads.create(actor.tenantId, thread, changeOf(actor, 'create', thread.id));
        },

        list: (actor: Actor, query: PageQuery): Promise<Page<Thread>> => threads.list(placeOf(actor), query),

        /** @throws THREAD_NOT_FOUND */
        get: (actor: Actor, id: string): Promise<Thread> => threads.get(placeOf(actor), id),

        /** @throws THREAD_NOT_FOUND, REVISION_MISMATCH */
        rename: (actor: Actor, id: string, title: string, revision?: number): Promise<Thread> =>
            threads.update(placeOf(actor), id, { title }, { revision, outbox: changeOf(actor, 'update', id) }),

        /** Gives the number of messages deleted with it. @throws THREAD_NOT_FOUND, REVISION_MISMATCH */
        delete: (actor: Actor, id: string, revision?: number): Promise<number> =>
            store.delete(placeOf(actor), id, { revision, outbox: changeOf(actor, 'delete', id) }),
    };
}

const placeOf = ({ tenantId, userId }: Actor) => ({ tenantId, ownerId: userId });

function changeOf(actor: Actor, action: 'create' | 'update' | 'delete', threadId: string): Outbox {
    const entry = { action: `thread.${action}`, resource: 'thread', resourceId: threadId, result: 'success' };
    const event = { type: `thread.${action}d`, data: { threadId, userId: actor.userId } };
    return { events: [event], audit: [audited(actor, entry)] };
}
