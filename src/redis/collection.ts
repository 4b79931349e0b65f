import { isoTime, RecordCodec, type Fields, type RecordBase } from './codec.ts';
import { createRecords, type Draft } from './create-records.ts';
import { openCursor, sealCursor, type Position } from './cursor.ts';
import { tenantKey } from './keys.ts';
import { luaFile } from './lua-file.ts';
import { outboxKeys, outboxLists, type Outbox } from './outbox.ts';
import { apiError } from '../http/errors.ts';

import type { IndexEntry } from './aggregate.ts';
import type { Datastore, RunScript } from './datastore.ts';
import type { ErrorCode } from '../http/errors.ts';
import type { Vault } from '../security/vault.ts';

/** How many records a step of a purge looks at. */
const PURGE_BATCH = 100;
/** How many ids are read at once. */
const IDS_PAGE = 100;

/** Where a record lives. In a collection whose records have owners, only those of `ownerId` are seen. */
export interface Place {
    tenantId: string;
    ownerId?: string;
}

/** A time index; the owner's id is `''` in a collection without owners. */
export interface Order {
    by: 'createdAt' | 'updatedAt' | 'expiresAt';
    index: (ownerId: string) => string[];
}

/** A zset whose members, all of score 0, stand for a record; a script of the feature keeps it when the record changes. */
export interface WordIndex<T> {
    index: string[];
    members: (record: T) => string[];
}

export interface CollectionDefinition<T extends RecordBase> {
    fields: Fields<T>;
    /** The first part of a record's key; its id is the second. */
    name: string;
    /** The tenant has one such record, under the name alone. */
    single?: boolean;
    /** The field with the id of the user that a record belongs to. */
    owner?: keyof T & string;
    /** Fields that every record has and whose value only one of the tenant has; fold case before they get here. */
    unique?: { field: keyof T & string; index: string[]; taken: ErrorCode }[];
    orders?: Record<string, Order>;
    words?: WordIndex<Omit<T, 'revision' | 'createdAt' | 'updatedAt'>>[];
    notFound: ErrorCode;
}

export interface PageQuery {
    order: string;
    direction: 'asc' | 'desc';
    limit: number;
    cursor?: string | undefined;
}

/** One page; `cursor` leads to the next one and is null on the last. */
export interface Page<T> {
    items: T[];
    pagination: { cursor: string | null; limit: number; hasMore: boolean; totalCount: number };
}

/** Records of one kind in Redis: hashes with unique fields, time orders, owners, revisions and an outbox. */
export class Collection<T extends RecordBase> {
    readonly #store: Datastore;
    readonly #vault: Vault;
    readonly #definition: CollectionDefinition<T>;
    readonly #codec: RecordCodec<T>;
    readonly #create: ReturnType<typeof createRecords>;
    readonly #update: RunScript;
    readonly #delete: RunScript;
    readonly #list: RunScript;
    readonly #ids: RunScript;

    constructor(store: Datastore, vault: Vault, definition: CollectionDefinition<T>) {
        this.#store = store;
        this.#vault = vault;
        this.#definition = definition;
        this.#codec = new RecordCodec(definition.fields);
        this.#create = createRecords(store);
        this.#update = store.script(luaFile('update-record'));
        this.#delete = store.script(luaFile('delete-record'));
        this.#list = store.script(luaFile('list-records'));
        this.#ids = store.script(luaFile('page-ids'));
    }

    /** The key of a record, for a script of the feature's own. */
    key(tenantId: string, id: string): string {
        return this.#definition.single ? tenantKey(tenantId, this.#definition.name) : this.#prefix(tenantId) + id;
    }

    /** The key of an order, for a script of the feature's own. */
    orderKey({ tenantId, ownerId = '' }: Place, order: string): string {
        return tenantKey(tenantId, ...this.#order(order).index(ownerId));
    }

    /** Reads the flat `field, value, …` that a script of the feature's own returned. */
    decode(flat: string[]): T {
        return this.#codec.decode(flat);
    }

    draft(tenantId: string, record: Omit<T, 'revision' | 'createdAt' | 'updatedAt'>): Draft {
        const { unique = [], orders = {}, words = [] } = this.#definition;
        const { id, ...fields } = record;
        const values = fields as Partial<T> & { expiresAt?: string };
        const ownerId = this.#ownerOf(values);
        return {
            keys: [
                this.key(tenantId, id),
                ...unique.map(({ index }) => tenantKey(tenantId, ...index)),
                ...Object.values(orders).map(({ index }) => tenantKey(tenantId, ...index(ownerId))),
                ...words.map(({ index }) => tenantKey(tenantId, ...index)),
            ],
            taken: unique.map(({ taken }) => taken),
            change: {
                id,
                fields: this.#codec.encode(values).set,
                unique: unique.map(({ field }) => String(values[field])),
                orders: Object.values(orders).map(({ by }) => by),
                words: words.map(({ members }) => members(record)),
                ...(values.expiresAt === undefined ? {} : { expiresAt: Date.parse(values.expiresAt) }),
            },
        };
    }

    async create(
        tenantId: string,
        record: Omit<T, 'revision' | 'createdAt' | 'updatedAt'>,
        outbox?: Outbox,
    ): Promise<T> {
        const at = await this.#create(tenantId, [this.draft(tenantId, record)], outbox);
        const time = isoTime(at);
        return { ...record, revision: 1, createdAt: time, updatedAt: time } as T;
    }

    /** The record, or null when there is none or it belongs to somebody else. */
    async find({ tenantId, ownerId }: Place, id: string): Promise<T | null> {
        const hash = await this.#store.redis.hgetall(this.key(tenantId, id));
        if (hash.id === undefined) return null;
        const record = this.#codec.decodeHash(hash);
        return ownerId === undefined || this.#ownerOf(record) === ownerId ? record : null;
    }

    /** @throws The collection's `notFound` error */
    async get(place: Place, id: string): Promise<T> {
        return (await this.find(place, id)) ?? this.#missing();
    }

    /** The id of the record with that value in a unique field. */
    async findId(tenantId: string, field: keyof T & string, value: string): Promise<string | null> {
        const unique = this.#definition.unique?.find((candidate) => candidate.field === field);
        if (!unique) throw new TypeError(`${field} is not a unique field`);
        return this.#store.redis.hget(tenantKey(tenantId, ...unique.index), value);
    }

    /**
     * Changes fields (`null` removes one) and returns the whole record. With a revision, only that one is changed.
     *
     * @throws The `notFound` or a unique field's `taken` error; REVISION_MISMATCH
     */
    async update(place: Place, id: string, changes: Partial<T>, options: ChangeOptions = {}): Promise<T> {
        const unique = (this.#definition.unique ?? []).filter(({ field }) => changes[field] !== undefined);
        const orders = this.#orderKeys(place, ({ by }) => by === 'updatedAt');
        const change = {
            ...this.#guard(place, id, options),
            ...this.#codec.encode(changes),
            unique: unique.map(({ field }) => ({ field, value: String(changes[field]) })),
        };
        const indexes = unique.map(({ index }) => tenantKey(place.tenantId, ...index));
        const [result, rest] = await this.#change(this.#update, place, id, [...indexes, ...orders], change);
        if (result === -2) throw apiError(unique[Number(rest) - 1]?.taken ?? this.#definition.notFound);
        return this.#answer(result, rest);
    }

    /** Deletes a record and returns what it was. @throws as `update` */
    async delete(place: Place, id: string, options: ChangeOptions = {}): Promise<T> {
        const unique = this.#definition.unique ?? [];
        const keys = [
            ...unique.map(({ index }) => tenantKey(place.tenantId, ...index)),
            ...this.#orderKeys(place, () => true),
        ];
        const change = { ...this.#guard(place, id, options), unique: unique.map(({ field }) => field) };
        const [result, rest] = await this.#change(this.#delete, place, id, keys, change);
        return this.#answer(result, rest);
    }

    /** @throws INVALID_CURSOR when the cursor is altered or belongs to another list, order or tenant */
    async list(place: Place, { order, direction, limit, cursor }: PageQuery): Promise<Page<T>> {
        const orderKey = this.orderKey(place, order);
        const list = `${orderKey}:${direction}`;
        const from: Position = cursor === undefined ? { score: '', id: '' } : openCursor(this.#vault, list, cursor);
        const result = await this.#list(
            [orderKey, this.#prefix(place.tenantId)],
            [direction, limit, from.score, from.id],
        );
        const [total, more, score, ...found] = result as [number, number, string, ...string[][]];
        const items = found.map((flat) => this.#codec.decode(flat));
        const last = items.at(-1);
        const next = more === 1 && last ? sealCursor(this.#vault, list, { score, id: last.id }) : null;
        return { items, pagination: { cursor: next, limit, hasMore: next !== null, totalCount: total } };
    }

    /** The ids in an order, some at a time. */
    async *ids(place: Place, order: string): AsyncGenerator<string[]> {
        const key = this.orderKey(place, order);
        for (let more = 1, score = '', last = ''; more === 1;) {
            const reply = (await this.#ids([key], ['asc', IDS_PAGE, score, last])) as [number, string, ...string[]];
            const [isMore, lastScore, ...ids] = reply;
            [more, score, last] = [isMore, lastScore, ids.at(-1) ?? ''];
            if (ids.length > 0) yield ids;
        }
    }

    /** What the unique fields, orders and words have of a record, from its hash; not those orders that are `kept`. */
    indexes(hash: Record<string, string>, kept: string[] = []): IndexEntry[] {
        const { unique = [], orders = {}, words = [] } = this.#definition;
        const record = this.#codec.decodeHash(hash);
        const ownerId = this.#ownerOf(record);
        const { id } = record;
        return [
            ...unique.map(({ field, index }) => ({
                key: index,
                type: 'hash' as const,
                field: String(record[field]),
                value: id,
            })),
            ...Object.entries(orders)
                .filter(([name]) => !kept.includes(name))
                .map(([, { by, index }]) => ({
                    key: index(ownerId),
                    type: 'zset' as const,
                    member: id,
                    score: hash[by] ?? '0',
                })),
            ...words.flatMap(({ index, members }) =>
                members(record).map((member) => ({ key: index, type: 'zset' as const, member, score: '0' })),
            ),
        ];
    }

    /** Removes an owner's records some at a time, by `remove`; their list goes last, so that it can be done again. */
    async purge(place: Place, order: string, remove: (ids: string[]) => Promise<unknown>): Promise<void> {
        const { redis } = this.#store;
        const list = this.orderKey(place, order);
        for (;;) {
            const ids = await redis.zrange(list, 0, String(PURGE_BATCH - 1));
            if (ids.length === 0) return;
            await remove(ids);
            await redis.zrem(list, ids);
        }
    }

    #prefix(tenantId: string): string {
        return `${tenantKey(tenantId, this.#definition.name)}:`;
    }

    #order(name: string): Order {
        const order = this.#definition.orders?.[name];
        if (!order) throw new TypeError(`There is no order ${name}`);
        return order;
    }

    #orderKeys({ tenantId, ownerId = '' }: Place, wanted: (order: Order) => boolean): string[] {
        const orders = Object.values(this.#definition.orders ?? {});
        return orders.filter(wanted).map(({ index }) => tenantKey(tenantId, ...index(ownerId)));
    }

    #ownerOf(record: Partial<T>): string {
        return this.#definition.owner === undefined ? '' : String(record[this.#definition.owner]);
    }

    #guard({ ownerId }: Place, id: string, { revision, outbox = {} }: ChangeOptions) {
        return {
            id,
            ...(ownerId === undefined ? {} : { ownerField: this.#definition.owner, ownerId }),
            ...(revision === undefined ? {} : { revision: String(revision) }),
            ...outboxLists(outbox),
        };
    }

    async #change(run: RunScript, { tenantId }: Place, id: string, keys: string[], change: object) {
        const all = [this.key(tenantId, id), ...outboxKeys(tenantId), ...keys];
        return (await run(all, [JSON.stringify(change)])) as [number, unknown];
    }

    #answer(result: number, rest: unknown): T {
        if (result === 0) return this.#missing();
        if (result === -1) throw apiError('REVISION_MISMATCH');
        return this.#codec.decode(rest as string[]);
    }

    #missing(): never {
        throw apiError(this.#definition.notFound);
    }
}

export interface ChangeOptions {
    /** Change only this revision. */
    revision?: number | undefined;
    outbox?: Outbox;
}
