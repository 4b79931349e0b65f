import { decodeMessage, type ContextPlace } from './message-codec.ts';
import { summaryTerms } from './search-terms.ts';
import { sealedByName, type CallContext, type StreamEntry, type StoredMessage, type ThreadStore } from './store.ts';
import { decodeSummary, type Summary } from './summary-codec.ts';
import { apiError } from '../../src/http/errors.ts';
import { outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Thread } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { KeyName } from '../models/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** What the next summary of a context is made of. */
export interface Uncovered extends Pick<CallContext, 'profile' | 'sealedKeys' | 'summary' | 'total'> {
    /** Oldest first */
    messages: StoredMessage[];
}

export interface NewSummary {
    text: string;
    tokens: number;
    modelUsed: string;
    /** The one that it was made of. */
    base: Summary | null;
    upTo: string;
    /** The user's own keys that were used. */
    ownKeys: KeyName[];
    outbox: Outbox;
}

type UncoveredReply = [
    found: number,
    total?: number,
    entries?: StreamEntry[],
    profile?: string[],
    sealed?: (string | null)[],
    summary?: string[],
];

/** One summary for each context that has one. */
export class SummaryStore {
    readonly #threads: ThreadStore;
    readonly #read: RunScript;
    readonly #readThread: RunScript;
    readonly #readUncovered: RunScript;
    readonly #set: RunScript;
    readonly #delete: RunScript;

    constructor(store: Datastore, threads: ThreadStore) {
        this.#threads = threads;
        this.#read = store.script(lua('read-summary'));
        this.#readThread = store.script(lua('read-thread'));
        this.#readUncovered = store.script(lua('read-uncovered'));
        this.#set = store.script(lua('set-summary'));
        this.#delete = store.script(lua('delete-summary'));
    }

    /** A thread with the summaries of its models. @throws THREAD_NOT_FOUND */
    async thread(place: Omit<ContextPlace, 'modelId'>) {
        const { threads } = this.#threads;
        const reply = await this.#readThread([threads.key(place.tenantId, place.threadId)], [place.ownerId]);
        const [found, fields = [], flat = []] = reply as [number, string[]?, (string | string[])[]?];
        if (found === 0) throw apiError('THREAD_NOT_FOUND');
        const thread: Thread = threads.decode(fields);
        const summaryOf = (model: string) => decodeSummary([flat[flat.indexOf(model) + 1] ?? []].flat());
        return { thread, summaries: new Map(Object.keys(thread.models).map((model) => [model, summaryOf(model)])) };
    }

    /** @throws THREAD_NOT_FOUND, SUMMARY_NOT_FOUND */
    async get(place: ContextPlace): Promise<Summary> {
        const [thread = ''] = this.#threads.contextKeys(place);
        const reply = await this.#read([thread, this.#threads.summaryKey(place)], [place.ownerId]);
        const [found, fields = []] = reply as [number, string[]?];
        if (found === 0) throw apiError('THREAD_NOT_FOUND');
        return decodeSummary(fields) ?? missing();
    }

    /** The oldest messages that no summary covers, with what else the call is made of. @throws THREAD_NOT_FOUND */
    async uncovered(place: ContextPlace, keyNames: KeyName[], count: number): Promise<Uncovered> {
        const [thread = '', messages = ''] = this.#threads.contextKeys(place);
        const keys = [
            thread,
            messages,
            this.#threads.profileKey(place),
            this.#threads.providerKeys(place),
            this.#threads.summaryKey(place),
        ];
        const reply = await this.#readUncovered(keys, [place.ownerId, count, ...keyNames]);
        const [found, total = 0, entries = [], profile = [], sealed = [], summary = []] = reply as UncoveredReply;
        if (found === 0) throw apiError('THREAD_NOT_FOUND');
        return {
            messages: entries.map(([entryId, fields]) => ({ entryId, message: decodeMessage(place, fields) })),
            total,
            profile,
            sealedKeys: sealedByName(keyNames, sealed),
            summary: decodeSummary(summary),
        };
    }

    /**
     * Puts a summary in the place of the one that it was made of, and gives it; where another one has come before,
     * that.
     *
     * @throws THREAD_NOT_FOUND; SUMMARY_NOT_FOUND when the one that it was made of was deleted meanwhile
     */
    async set(place: ContextPlace, summary: NewSummary): Promise<Summary> {
        const { text, tokens, modelUsed, base, upTo, ownKeys, outbox } = summary;
        const [thread = '', messages = '', , events = '', audit = ''] = this.#threads.contextKeys(place);
        const keys = [
            thread,
            messages,
            events,
            audit,
            this.#threads.summaryKey(place),
            this.#threads.providerKeys(place),
            ...this.#threads.termKeys(place, place.threadId),
        ];
        const { ownerId, threadId, modelId } = place;
        const terms = summaryTerms(modelId, text);
        const change = {
            ownerId,
            threadId,
            modelId,
            terms,
            base: base?.upTo ?? '',
            upTo,
            ownKeys,
            ...outboxLists(outbox),
        };
        const reply = await this.#set(keys, [JSON.stringify(change), text, tokens, modelUsed]);
        const [done, fields = []] = reply as [number, string[]?];
        if (done === 0) throw apiError('THREAD_NOT_FOUND');
        return decodeSummary(fields) ?? missing();
    }

    /** @throws THREAD_NOT_FOUND, SUMMARY_NOT_FOUND */
    async delete(place: ContextPlace, outbox: Outbox): Promise<void> {
        const [thread = '', , , events = '', audit = ''] = this.#threads.contextKeys(place);
        const { ownerId, threadId, modelId } = place;
        const change = { ownerId, threadId, modelId, terms: summaryTerms(modelId, null), ...outboxLists(outbox) };
        const keys = [
            thread,
            this.#threads.summaryKey(place),
            events,
            audit,
            ...this.#threads.termKeys(place, threadId),
        ];
        const done = await this.#delete(keys, [JSON.stringify(change)]);
        if (done === 0) throw apiError('THREAD_NOT_FOUND');
        if (done === -1) missing();
    }
}

function missing(): never {
    throw apiError('SUMMARY_NOT_FOUND');
}
