import { decodeMessage, madeAt, type ContextPlace } from './message-codec.ts';
import { decodeSummary, isAfter, type Summary } from './summary-codec.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';
import { Collection, type ChangeOptions, type Page, type Place } from '../../src/redis/collection.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists } from '../../src/redis/outbox.ts';
import { settingsOf, type TenantSettings } from '../tenants/api.ts';

import type { Message, Thread } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { KeyName, KeyOwner } from '../models/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
/** By how much the clock of a process, which makes ids, may be before or behind that of Redis, which orders entries. */
const CLOCK_SKEW_MS = 60_000;
/** An answer has its id from its beginning and its entry from its end. */
const LONGEST_ANSWER_MS = 30 * 60_000;
/** How many messages of an export are in memory. */
const EXPORT_PAGE = 50;

export interface MessageQuery {
    direction: 'asc' | 'desc';
    limit: number;
    cursor?: string | undefined;
}

/** What a call is made of besides the new message. */
export interface CallContext {
    /** Newest first */
    messages: Message[];
    /** How many messages the whole context has. */
    total: number;
    summary: Summary | null;
    /** How many of the messages are newer than what the summary covers. */
    uncovered: number;
    /** As `ProfileService.callDefaults` reads it. */
    profile: string[];
    /** The user's own keys for the providers, as `ProviderKeyService.open` opens them. */
    sealedKeys: Partial<Record<KeyName, string>>;
    /** Of the tenant, for what the request says nothing of. */
    settings: TenantSettings;
}

/** Where records of other features live that go with a message. */
export interface ForeignKeys {
    profile: (owner: KeyOwner) => string;
    providerKeys: (owner: KeyOwner) => string;
    tenant: (tenantId: string) => string;
}

export type StreamEntry = [id: string, fields: string[]];

/** A message with its entry in the stream of its context. */
export interface StoredMessage {
    entryId: string;
    message: Message;
}

/** Threads as a collection with two orders per user; messages as one stream per thread and model. */
export class ThreadStore {
    readonly threads: Collection<Thread>;
    readonly #vault: Vault;
    readonly #foreign: ForeignKeys;
    readonly #read: RunScript;
    readonly #find: RunScript;
    readonly #delete: RunScript;

    constructor(store: Datastore, vault: Vault, foreign: ForeignKeys) {
        this.#vault = vault;
        this.#foreign = foreign;
        this.threads = new Collection<Thread>(store, vault, {
            name: 'thread',
            owner: 'userId',
            fields: {
                userId: 'text',
                title: 'text',
                messageCount: 'number',
                models: 'json',
                lastMessage: 'json',
                summary: 'text',
            },
            orders: {
                updated_at: { by: 'updatedAt', index: (userId) => ['user', userId, 'threads', 'updated'] },
                created_at: { by: 'createdAt', index: (userId) => ['user', userId, 'threads', 'created'] },
            },
            notFound: 'THREAD_NOT_FOUND',
        });
        this.#read = store.script(lua('read-messages'));
        this.#find = store.script(lua('find-message'));
        this.#delete = store.script(lua('delete-thread'));
    }

    /** Deletes a thread with all its messages; gives their number. @throws THREAD_NOT_FOUND, REVISION_MISMATCH */
    async delete(place: Required<Place>, id: string, { revision, outbox = {} }: ChangeOptions): Promise<number> {
        const { tenantId, ownerId } = place;
        const keys = [
            this.threads.key(tenantId, id),
            ...outboxKeys(tenantId),
            ...this.termKeys(place, id),
            this.threads.orderKey(place, 'updated_at'),
            this.threads.orderKey(place, 'created_at'),
        ];
        const change = {
            id,
            ownerField: 'userId',
            ownerId,
            ...(revision !== undefined && { revision: String(revision) }),
            ...outboxLists(outbox),
        };
        const [result, count = 0] = (await this.#delete(keys, [
            JSON.stringify(change),
            answerKeys(tenantId),
        ])) as number[];
        if (result === 0) throw apiError('THREAD_NOT_FOUND');
        if (result === -1) throw apiError('REVISION_MISMATCH');
        return count;
    }

    /** Removes all threads of a user with their messages; done again it goes on where it was interrupted. */
    async purge(tenantId: string, ownerId: string): Promise<void> {
        const place = { tenantId, ownerId };
        for (const order of ['created_at', 'updated_at']) {
            await this.threads.purge(place, order, async (ids) => {
                for (const id of ids) await this.#purgeThread(place, id);
            });
        }
    }

    /**
     * The newest messages of a context with what else the user's call is made of, in one round trip.
     *
     * @param keyNames The API keys that the call, or one in its place, needs
     * @throws THREAD_NOT_FOUND
     */
    async callContext(place: ContextPlace, keyNames: KeyName[], count: number): Promise<CallContext> {
        const { tenantId } = place;
        const keys = [
            this.profileKey(place),
            this.providerKeys(place),
            this.#foreign.tenant(tenantId),
            this.summaryKey(place),
        ];
        const read = await this.#entries(place, 'desc', '', count, keys, keyNames);
        const { total, entries, profile, settings } = read;
        const summary = decodeSummary(read.summary);
        const covered = summary ? entries.findIndex(([id]) => !isAfter(id, summary.upTo)) : -1;
        return {
            messages: entries.map(([, fields]) => decodeMessage(place, fields)),
            total,
            summary,
            uncovered: covered === -1 ? entries.length : covered,
            profile,
            sealedKeys: sealedByName(keyNames, read.sealed),
            settings: settingsOf(settings === null ? null : (JSON.parse(settings) as TenantSettings)),
        };
    }

    /** @throws THREAD_NOT_FOUND, INVALID_CURSOR */
    async list(place: ContextPlace, { direction, limit, cursor }: MessageQuery): Promise<Page<Message>> {
        const list = `${this.#messagesKey(place)}:${direction}`;
        const after = cursor === undefined ? '' : openCursor(this.#vault, list, cursor).score;
        const { total, entries } = await this.#entries(place, direction, after, limit + 1);
        const page = entries.slice(0, limit);
        const hasMore = entries.length > limit;
        const items = page.map(([, fields]) => decodeMessage(place, fields));
        const last = { score: page.at(-1)?.[0] ?? '', id: items.at(-1)?.id ?? '' };
        const next = hasMore ? sealCursor(this.#vault, list, last) : null;
        return { items, pagination: { cursor: next, limit, hasMore, totalCount: total } };
    }

    /** The message, with its entry among the others; null when it is not there. @throws THREAD_NOT_FOUND */
    async find(place: ContextPlace, messageId: string): Promise<StoredMessage | null> {
        const made = madeAt(messageId);
        const keys = [this.threads.key(place.tenantId, place.threadId), this.#messagesKey(place)];
        const reply = await this.#find(keys, [
            place.ownerId,
            messageId,
            Math.max(0, made - CLOCK_SKEW_MS),
            made + LONGEST_ANSWER_MS,
        ]);
        const [found, entry] = reply as [number, StreamEntry?];
        if (found === 0) throw apiError('THREAD_NOT_FOUND');
        return entry ? { entryId: entry[0], message: decodeMessage(place, entry[1]) } : null;
    }

    /** The newest message of a context. @throws THREAD_NOT_FOUND */
    async newest(place: ContextPlace): Promise<StoredMessage | null> {
        const { entries } = await this.#entries(place, 'desc', '', 1);
        const [entry] = entries;
        return entry ? { entryId: entry[0], message: decodeMessage(place, entry[1]) } : null;
    }

    /** All messages of a context, from the oldest on, some at a time. @throws THREAD_NOT_FOUND also in the middle */
    async *pages(place: ContextPlace): AsyncGenerator<Message[]> {
        for (let after: string | undefined = ''; after !== undefined;) {
            const { entries } = await this.#entries(place, 'asc', after, EXPORT_PAGE);
            if (entries.length > 0) yield entries.map(([, fields]) => decodeMessage(place, fields));
            after = entries.length < EXPORT_PAGE ? undefined : entries.at(-1)?.[0];
        }
    }

    /**
     * What a script needs that changes what a thread is found by, for `terms.lua`: its terms, the owner's threads by
     * term.
     */
    termKeys({ tenantId, ownerId }: Required<Place>, id: string): [terms: string, index: string] {
        return [`${this.threads.key(tenantId, id)}:terms`, tenantKey(tenantId, 'user', ownerId, 'threads', 'terms')];
    }

    /** What a script needs that adds a message: thread, messages, the owner's threads by update, events, audit. */
    contextKeys(place: ContextPlace): string[] {
        const { tenantId, ownerId, threadId } = place;
        return [
            this.threads.key(tenantId, threadId),
            this.#messagesKey(place),
            this.threads.orderKey({ tenantId, ownerId }, 'updated_at'),
            ...outboxKeys(tenantId),
        ];
    }

    /** Where the owner's settings are. */
    profileKey(place: ContextPlace): string {
        return this.#foreign.profile(ownerOf(place));
    }

    summaryKey({ tenantId, threadId, modelId }: ContextPlace): string {
        return `${this.threads.key(tenantId, threadId)}:model:${modelId}:summary`;
    }

    /** Where a thread's answers are named that are on their way. */
    runningKey({ tenantId, threadId }: ContextPlace): string {
        return `${this.threads.key(tenantId, threadId)}:running`;
    }

    /** Where the owner's API keys for providers are. */
    providerKeys(place: ContextPlace): string {
        return this.#foreign.providerKeys(ownerOf(place));
    }

    /** The thread may be gone already, by a purge that was interrupted. */
    async #purgeThread(place: Required<Place>, id: string): Promise<void> {
        await this.delete(place, id, {}).catch((error: unknown) => {
            if (!isApiError(error, 'THREAD_NOT_FOUND')) throw error;
        });
    }

    #messagesKey({ tenantId, threadId, modelId }: ContextPlace): string {
        return `${this.threads.key(tenantId, threadId)}:model:${modelId}:messages`;
    }

    async #entries(
        place: ContextPlace,
        direction: string,
        after: string,
        count: number,
        foreign: string[] = [],
        keyNames: KeyName[] = [],
    ) {
        const keys = [this.threads.key(place.tenantId, place.threadId), this.#messagesKey(place), ...foreign];
        const reply = await this.#read(keys, [place.ownerId, direction, after, count, ...keyNames]);
        const [found, total = 0, entries = [], profile = [], sealed = [], settings = null, summary = []] =
            reply as ReadReply;
        if (found === 0) throw apiError('THREAD_NOT_FOUND');
        return { total, entries, profile, sealed, settings, summary };
    }
}

type ReadReply = [
    found: number,
    total?: number,
    entries?: StreamEntry[],
    profile?: string[],
    sealed?: (string | null)[],
    settings?: string | null,
    summary?: string[],
];

/** What the keys of a tenant's answers begin with; a message's id follows. */
export const answerKeys = (tenantId: string): string => `${tenantKey(tenantId, 'generation')}:`;

/** The sealed keys of those names, as a script gave them, without those that are not there. */
export const sealedByName = (names: KeyName[], sealed: (string | null)[]): CallContext['sealedKeys'] =>
    Object.fromEntries(names.flatMap((name, at) => (sealed[at] ? [[name, sealed[at]]] : [])));

const ownerOf = ({ tenantId, ownerId }: ContextPlace): KeyOwner => ({ tenantId, userId: ownerId });
