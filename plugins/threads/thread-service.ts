import { newId } from '../../src/ids.ts';
import { audited, type EventEntry, type Outbox } from '../../src/redis/outbox.ts';
import { wordsOf } from '../../src/redis/search-terms.ts';

import type { Thread } from './api.ts';
import type { ChangeStore } from './change-store.ts';
import type { ThreadPage, SearchStore } from './search-store.ts';
import type { ThreadStore } from './store.ts';
import type { PageQuery } from '../../src/redis/collection.ts';
import type { Actor } from '../../src/types/actor.ts';

export type ThreadService = ReturnType<typeof createThreadService>;

export interface ThreadServiceParts {
    store: ThreadStore;
    changes: ChangeStore;
    search: SearchStore;
}

export interface ThreadListQuery extends PageQuery {
    q?: string | undefined;
}

/** Threads of a user; another user's are not found. */
export function createThreadService({ store, changes, search }: ThreadServiceParts) {
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
            return changes.create(actor.tenantId, thread, changeOf(actor, 'create', thread.id));
        },

        /** @throws INVALID_CURSOR */
        async list(actor: Actor, { q, ...query }: ThreadListQuery): Promise<ThreadPage> {
            if (q === undefined) return threads.list(placeOf(actor), query);
            const words = wordsOf(q);
            // No thread has a word that is none.
            if (words.length === 0) return nothing(query);
            return search.page(placeOf(actor), words, query);
        },

        /** @throws THREAD_NOT_FOUND */
        get: (actor: Actor, id: string): Promise<Thread> => threads.get(placeOf(actor), id),

        /** @throws THREAD_NOT_FOUND, REVISION_MISMATCH */
        rename: (actor: Actor, id: string, title: string, revision?: number): Promise<Thread> =>
            changes.rename(placeOf(actor), id, title, { revision, outbox: changeOf(actor, 'update', id) }),

        /** Gives the number of messages deleted with it. @throws THREAD_NOT_FOUND, REVISION_MISMATCH */
        delete: (actor: Actor, id: string, revision?: number): Promise<number> =>
            store.delete(placeOf(actor), id, { revision, outbox: changeOf(actor, 'delete', id) }),
    };
}

const nothing = ({ limit }: PageQuery): ThreadPage => ({
    items: [],
    pagination: { cursor: null, limit, hasMore: false },
});

const placeOf = ({ tenantId, userId }: Actor) => ({ tenantId, ownerId: userId });

function changeOf(actor: Actor, action: 'create' | 'update' | 'delete', threadId: string): Outbox {
    const entry = { action: `thread.${action}`, resource: 'thread', resourceId: threadId, result: 'success' };
    const event: EventEntry = { type: `thread.${action}d`, data: { threadId, userId: actor.userId } };
    return { events: [event], audit: [audited(actor, entry)] };
}
