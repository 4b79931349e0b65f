import { openCursor, sealCursor } from '../../src/redis/cursor.ts';

import type { Thread } from './api.ts';
import type { ThreadStore } from './store.ts';
import type { Page, PageQuery, Place } from '../../src/redis/collection.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

/** How many threads a page of a search looks at. */
const MOST_LOOKED_AT = 2_000;

/** A page; what a search finds is not counted. */
export interface ThreadPage {
    items: Thread[];
    pagination: Omit<Page<never>['pagination'], 'totalCount'> & { totalCount?: number };
}

/** Threads by the words of their titles and summaries. */
export class SearchStore {
    readonly #store: ThreadStore;
    readonly #vault: Vault;
    readonly #most: number;
    readonly #run: RunScript;

    constructor(datastore: Datastore, vault: Vault, store: ThreadStore, most = MOST_LOOKED_AT) {
        this.#store = store;
        this.#vault = vault;
        this.#most = most;
        this.#run = datastore.script(new URL('./lua/search-threads.lua', import.meta.url));
    }

    /**
     * A page of the threads that have a word beginning with each of those.
     *
     * @param words Folded, one at least
     * @throws INVALID_CURSOR
     */
    async page(place: Required<Place>, words: string[], query: PageQuery): Promise<ThreadPage> {
        const { order, direction, limit, cursor } = query;
        const { threads } = this.#store;
        const orderKey = threads.orderKey(place, order);
        const list = `${orderKey}:${direction}:${words.join(' ')}`;
        const from = cursor === undefined ? { score: '', id: '' } : openCursor(this.#vault, list, cursor);
        const [, index] = this.#store.termKeys(place, '-');
        const reply = await this.#run(
            [index, orderKey, threads.key(place.tenantId, '')],
            [direction, limit, from.score, from.id, this.#most, ...words],
        );
        const [more, score, id, ...found] = reply as [number, string, string, ...string[][]];
        const next = more === 1 ? sealCursor(this.#vault, list, { score, id }) : null;
        return {
            items: found.map((flat) => threads.decode(flat)),
            pagination: { cursor: next, limit, hasMore: next !== null },
        };
    }
}
