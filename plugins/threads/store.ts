import { decodeTime } from 'ulid';

import { apiError, isApiError } from '../../src/http/errors.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { Collection, type ChangeOptions, type Page, type Place } from '../../src/redis/collection.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { LastMessage, Message, Thread } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { KeyName, KeyOwner } from '../models/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const PREVIEW_LENGTH = 200;
/** What a cut may leave of a character of two code units; JSON with it would not be read in Lua. */
const HALF_A_CHARACTER = /[\uD800-\uDBFF]$/;

/** A model's context in a thread of a user. */
export interface ContextPlace {
    tenantId: string;
    ownerId: string;
    threadId: string;
    modelId: string;
}

export interface MessageQuery {
    direction: 'asc' | 'desc';
    limit: number;
    cursor?: string | undefined;
}

/** What a call is made of besides the new message. */
export interface CallContext {
    /** Newest first */
    messages: Message[];
    /** As `ProfileService.callDefaults` reads it. */
    profile: string[];
    /** The user's own key for the provider, as `ProviderKeyService.open` opens it. */
    sealedKey: string | null;
}

export interface AppendOptions {
    /** An earlier try may have stored it, though its answer was lost. */
    isRepeated?: boolean;
    /** The user's own key that is about to be used. */
    ownKey?: KeyName | null;
}

/** Where records of other features live that go with a message. */
export interface ForeignKeys {
    profile: (owner: KeyOwner) => string;
    providerKeys: (owner: KeyOwner) => string;
}

type StreamEntry = [id: string, fields: string[]];

/** Threads as a collection with two orders per user; messages as one stream per thread and model. */
export class ThreadStore {
    readonly threads: Collection<Thread>;
    readonly #vault: Vault;
    readonly #foreign: ForeignKeys;
    readonly #append: RunScript;
    readonly #read: RunScript;
    readonly #delete: RunScript;

    constructor(store: Datastore, vault: Vault, foreign: ForeignKeys) {
        this.#vault = vault;
        this.#foreign = foreign;
        this.threads = new Collection<Thread>(store, vault, {
            name: 'thread',
            owner: 'userId',
            fields: { userId: 'text', title: 'text', messageCount: 'number', models: 'json', lastMessage: 'json' },
            orders: {
                updated_at: { by: 'updatedAt', index: (userId) => ['user', userId, 'threads', 'updated'] },
                created_at: { by: 'createdAt', index: (userId) => ['user', userId, 'threads', 'created'] },
            },
            notFound: 'THREAD_NOT_FOUND',
        });
        this.#append = store.script(lua('append-message'));
        this.#read = store.script(lua('read-messages'));
        this.#delete = store.script(lua('delete-thread'));
    }

    /** Deletes a thread with all its messages; gives their number. @throws THREAD_NOT_FOUND, REVISION_MISMATCH */
    async delete(place: Required<Place>, id: string, { revision, outbox = {} }: ChangeOptions): Promise<number> {
        const { tenantId, ownerId } = place;
        const keys = [
            this.threads.key(tenantId, id),
            ...outboxKeys(tenantId),
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
        const [result, count = 0] = (await this.#delete(keys, [JSON.stringify(change)])) as number[];
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
     * @param keyName The API key that the call needs
     * @throws THREAD_NOT_FOUND
     */
    async callContext(place: ContextPlace, keyName: KeyName | null, count: number): Promise<CallContext> {
        const owner = ownerOf(place);
        const keys = [this.#foreign.profile(owner), this.#foreign.providerKeys(owner)];
        const { entries, profile, sealedKey } = await this.#entries(place, 'desc', '', count, keys, keyName ?? '');
        return { messages: entries.map(([, fields]) => decodeMessage(place, fields)), profile, sealedKey };
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

    /** @throws THREAD_NOT_FOUND when it was deleted meanwhile */
    async append(
        place: ContextPlace,
        message: Message,
        outbox: Outbox,
        { isRepeated = false, ownKey = null }: AppendOptions = {},
    ): Promise<void> {
        const { tenantId, ownerId, threadId, modelId } = place;
        const keys = [
            this.threads.key(tenantId, threadId),
            this.#messagesKey(place),
            this.threads.orderKey({ tenantId, ownerId }, 'updated_at'),
            ...outboxKeys(tenantId),
            ...(ownKey === null ? [] : [this.#foreign.providerKeys(ownerOf(place))]),
        ];
        const change = {
            threadId,
            ownerId,
            modelId,
            messageId: message.id,
            isRepeated,
            message: encodeMessage(message),
            last: preview(message),
            ...(ownKey !== null && { ownKey }),
            ...outboxLists(outbox),
        };
        const done = await this.#append(keys, [JSON.stringify(change)]);
        if (done === 0) throw apiError('THREAD_NOT_FOUND');
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
        keyName = '',
    ) {
        const keys = [this.threads.key(place.tenantId, place.threadId), this.#messagesKey(place), ...foreign];
        const reply = await this.#read(keys, [place.ownerId, direction, after, count, keyName]);
        const [found, total = 0, entries = [], profile = [], sealedKey = null] = reply as ReadReply;
        if (found === 0) throw apiError('THREAD_NOT_FOUND');
        return { total, entries, profile, sealedKey };
    }
}

type ReadReply = [found: number, total?: number, StreamEntry[]?, profile?: string[], sealedKey?: string | null];

const ownerOf = ({ tenantId, ownerId }: ContextPlace): KeyOwner => ({ tenantId, userId: ownerId });

/** Where a message stands is known from its key; what it has not is left out. */
function encodeMessage({ threadId: _thread, modelId: _model, createdAt: _time, ...message }: Message): string[] {
    return Object.entries(message)
        .filter(([, value]) => value !== null)
        .flatMap(([field, value]) => [field, typeof value === 'object' ? JSON.stringify(value) : String(value)]);
}

function decodeMessage({ threadId, modelId }: ContextPlace, flat: string[]): Message {
    const fields: Record<string, string> = {};
    for (let at = 0; at < flat.length; at += 2) fields[flat[at] ?? ''] = flat[at + 1] ?? '';
    const {
        id = '',
        role,
        content = '',
        tokens,
        temperature,
        status,
        replyTo,
        finishReason,
        usage,
        errorCode,
    } = fields;
    return {
        id,
        threadId,
        modelId,
        role,
        content,
        tokens: Number(tokens),
        temperature: temperature === undefined ? null : Number(temperature),
        status,
        createdAt: isoTime(decodeTime(id.slice('msg_'.length))),
        replyTo: replyTo ?? null,
        finishReason: finishReason ?? null,
        usage: usage === undefined ? null : JSON.parse(usage),
        errorCode: errorCode ?? null,
    } as Message;
}

const preview = ({ content, role, modelId, createdAt }: Message): LastMessage => ({
    content: content.slice(0, PREVIEW_LENGTH).replace(HALF_A_CHARACTER, ''),
    role,
    model: modelId,
    timestamp: createdAt,
});
