import { Collection, type Page, type PageQuery } from '../../src/redis/collection.ts';
import { createRecords } from '../../src/redis/create-records.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Bulk, BulkFailure, BulkItem } from './bulk.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Outbox } from '../../src/redis/outbox.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const place = { tenantId: PLATFORM };
const failuresKey = (id: string): string => tenantKey(PLATFORM, 'bulk', id, 'failures');

/** The users of a bulk change, under its id: apart from it, because lists do not show them. */
interface BulkItems extends RecordBase {
    items: BulkItem[];
    expiresAt: string;
}

/** Bulk changes in the platform's slot, until they expire. */
export class BulkStore {
    readonly #redis: Datastore['redis'];
    readonly #bulks: Collection<Bulk>;
    readonly #items: Collection<BulkItems>;
    readonly #create: ReturnType<typeof createRecords>;
    readonly #advance: RunScript;

    constructor(store: Datastore, vault: Vault) {
        this.#redis = store.redis;
        this.#bulks = new Collection<Bulk>(store, vault, {
            name: 'bulk',
            fields: {
                action: 'text',
                reason: 'text',
                tier: 'text',
                state: 'text',
                total: 'number',
                done: 'number',
                failed: 'number',
                startedAt: 'time',
                finishedAt: 'time',
                by: 'text',
                actor: 'json',
                next: 'number',
                expiresAt: 'time',
            },
            // All live equally long: this is the order of their creation, too, and who is expired leaves it.
            orders: { created: { by: 'expiresAt', index: () => ['bulks'] } },
            notFound: 'BULK_NOT_FOUND',
        });
        this.#items = new Collection<BulkItems>(store, vault, {
            name: 'bulk-items',
            fields: { items: 'json', expiresAt: 'time' },
            notFound: 'BULK_NOT_FOUND',
        });
        this.#create = createRecords(store);
        this.#advance = store.script(lua('advance-bulk'));
    }

    async create(bulk: Omit<Bulk, keyof RecordBase> & { id: string }, items: BulkItem[], outbox: Outbox) {
        const { id, expiresAt } = bulk;
        const drafts = [this.#bulks.draft(PLATFORM, bulk), this.#items.draft(PLATFORM, { id, items, expiresAt })];
        await this.#create(PLATFORM, drafts, outbox);
    }

    /** @throws BULK_NOT_FOUND */
    get = (id: string): Promise<Bulk> => this.#bulks.get(place, id);

    find = (id: string): Promise<Bulk | null> => this.#bulks.find(place, id);

    /** Newest first. @throws INVALID_CURSOR */
    list = (query: Pick<PageQuery, 'limit' | 'cursor' | 'direction'>): Promise<Page<Bulk>> =>
        this.#bulks.list(place, { ...query, order: 'created' });

    /** None of one that is forgotten. */
    items = async (id: string): Promise<BulkItem[]> => (await this.#items.find(place, id))?.items ?? [];

    /** Begins; or goes on where it was left. @returns The number of the item to do, null when there is none */
    begin = (bulk: Bulk): Promise<number | null> => this.#step(bulk, '', '');

    /** Notes the result of an item, unless somebody has. @returns as `begin` */
    finish = (bulk: Bulk, item: number, code: string | null): Promise<number | null> =>
        this.#step(bulk, String(item), code ?? '');

    async failures(id: string): Promise<BulkFailure[]> {
        const [items, codes] = await Promise.all([this.items(id), this.#redis.hgetall(failuresKey(id))]);
        return items.flatMap((item, n) => {
            const code = codes[n];
            return code === undefined ? [] : [{ ...item, code }];
        });
    }

    async #step({ id, expiresAt }: Bulk, item: string, code: string): Promise<number | null> {
        const keys = [this.#bulks.key(PLATFORM, id), failuresKey(id)];
        const next = Number(await this.#advance(keys, [item, code, Date.parse(expiresAt)]));
        return next < 0 ? null : next;
    }
}
