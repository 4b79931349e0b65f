import { titleTerms } from './search-terms.ts';
import { apiError } from '../../src/http/errors.ts';
import { outboxKeys, outboxLists } from '../../src/redis/outbox.ts';

import type { Thread } from './api.ts';
import type { ThreadStore } from './store.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { ChangeOptions, Place } from '../../src/redis/collection.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Outbox } from '../../src/redis/outbox.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

export type NewThread = Omit<Thread, keyof Omit<RecordBase, 'id'>>;

/** What is copied of a thread. */
export interface Fork {
    threadId: string;
    /** Of this model's context alone. */
    modelId?: string | undefined;
    /** Up to this entry, and in other contexts to its time. */
    cut?: { modelId: string; entryId: string } | undefined;
}

/** Changes of threads that change what they are found by. */
export class ChangeStore {
    readonly #store: ThreadStore;
    readonly #create: RunScript;
    readonly #rename: RunScript;

    constructor(datastore: Datastore, store: ThreadStore) {
        this.#store = store;
        this.#create = datastore.script(lua('create-thread'));
        this.#rename = datastore.script(lua('rename-thread'));
    }

    async create(tenantId: string, thread: NewThread, outbox: Outbox): Promise<Thread> {
        const [, flat = []] = await this.#make(tenantId, thread, outbox);
        return this.#store.threads.decode(flat);
    }

    /** Creates a copy. Gives null when the last entry to be copied is gone. @throws THREAD_NOT_FOUND */
    async fork(tenantId: string, thread: NewThread, source: Fork, outbox: Outbox): Promise<Thread | null> {
        const [code, flat = []] = await this.#make(tenantId, thread, outbox, source);
        if (code === 0) throw apiError('THREAD_NOT_FOUND');
        return code === 1 ? this.#store.threads.decode(flat) : null;
    }

    /** @throws THREAD_NOT_FOUND, REVISION_MISMATCH */
    async rename(
        place: Required<Place>,
        id: string,
        title: string,
        { revision, outbox = {} }: ChangeOptions,
    ): Promise<Thread> {
        const { threads } = this.#store;
        const { tenantId, ownerId } = place;
        const keys = [...this.#keys(place, id, threads.key(tenantId, id)), threads.orderKey(place, 'updated_at')];
        const change = {
            id,
            ownerField: 'userId',
            ownerId,
            ...(revision !== undefined && { revision: String(revision) }),
            title,
            terms: titleTerms(title),
            ...outboxLists(outbox),
        };
        const [code, flat = []] = (await this.#rename(keys, [JSON.stringify(change)])) as [number, string[]?];
        if (code === 0) throw apiError('THREAD_NOT_FOUND');
        if (code === -1) throw apiError('REVISION_MISMATCH');
        return threads.decode(flat);
    }

    async #make(tenantId: string, thread: NewThread, outbox: Outbox, source?: Fork) {
        const { threads } = this.#store;
        const { id, userId: ownerId } = thread;
        const { keys: own, change: draft } = threads.draft(tenantId, thread);
        const [key = '', ...orders] = own;
        const { threadId = '', ...fork } = source ?? {};
        const keys = [...this.#keys({ tenantId, ownerId }, id, key), ...orders];
        if (source) keys.push(threads.key(tenantId, threadId));
        const change = {
            id,
            ownerId,
            fields: draft.fields,
            terms: titleTerms(thread.title),
            ...(source && { fork }),
            ...outboxLists(outbox),
        };
        return (await this.#create(keys, [JSON.stringify(change)])) as [number, string[]?];
    }

    #keys(place: Required<Place>, id: string, key: string): string[] {
        return [key, ...outboxKeys(place.tenantId), ...this.#store.termKeys(place, id)];
    }
}
