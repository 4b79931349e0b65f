import { decodeAnswer, type AnswerInfo, type AnswerState, type ReadReply } from './answer-codec.ts';
import { encodeMessage, preview, type ContextPlace } from './message-codec.ts';
import { titleTerms } from './search-terms.ts';
import { answerKeys, type ThreadStore } from './store.ts';
import { titleOf } from './titles.ts';
import { apiError, type ErrorCode } from '../../src/http/errors.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';
import { outboxLists, type Outbox } from '../../src/redis/outbox.ts';
import { payableUsage } from '../billing/api.ts';

import type { EndedMessage } from './api.ts';
import type { LoggedEvent } from './event-log.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { BillingService, PaymentReply, ScriptHold, ScriptSettlement } from '../billing/api.ts';
import type { KeyName } from '../models/api.ts';
import type { EndedCall, UsageService } from '../usage/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** How long an answer that has ended can be resumed. */
const KEPT_MS = 15 * 60_000;
/** An answer that could not be ended for that long is forgotten. */
const FORGOTTEN_MS = 24 * 3_600_000;
/** How many answers of dead processes one process takes over at once. */
const ORPHANS = 20;

const LEASES = tenantKey(PLATFORM, 'answers');
const PROCESSES = `${tenantKey(PLATFORM, 'process')}:`;

/** Where an answer is. */
export interface AnswerPlace {
    tenantId: string;
    messageId: string;
}

export interface Beginning {
    info: AnswerInfo;
    /** The process that writes it. */
    owner: string;
    /** Whether the user's message is to be stored too. */
    isNew: boolean;
    /** The user's own keys that are about to be used. */
    ownKeys: KeyName[];
    /** On the tenant's credits, for a call that costs. */
    hold?: ScriptHold;
    outbox: Outbox;
}

/** How long the call of an answer took. */
export type Timing = Pick<EndedCall, 'durationMs' | 'timeToFirstTokenMs'>;

export interface Ending {
    by: string;
    message: EndedMessage;
    /** Where it is known: of a process that died it is not. */
    timing?: Timing;
    /** The events that come last, and how many there were before. */
    events: LoggedEvent[];
    from: number;
    outbox: Outbox;
}

/** What is to be known of an answer's call to count and settle it. */
type EndedCallOf = Pick<Ending, 'message' | 'timing' | 'from'>;

/** Answers on their way, and for a while those that have ended: who writes them, and what they have sent out. */
export class AnswerStore {
    readonly #threads: ThreadStore;
    readonly #usage: UsageService;
    readonly #billing: BillingService;
    readonly #redis: Datastore['redis'];
    readonly #begin: RunScript;
    readonly #append: RunScript;
    readonly #end: RunScript;
    readonly #read: RunScript;
    readonly #readRunning: RunScript;
    readonly #cancel: RunScript;
    readonly #hold: RunScript;
    readonly #takeOrphans: RunScript;

    constructor(store: Datastore, threads: ThreadStore, usage: UsageService, billing: BillingService) {
        this.#threads = threads;
        this.#usage = usage;
        this.#billing = billing;
        this.#redis = store.redis;
        this.#begin = store.script(lua('begin-answer'));
        this.#append = store.script(lua('append-events'));
        this.#end = store.script(lua('end-answer'));
        this.#read = store.script(lua('read-answer'));
        this.#readRunning = store.script(lua('read-running'));
        this.#cancel = store.script(lua('cancel-answer'));
        this.#hold = store.script(lua('hold-answers'));
        this.#takeOrphans = store.script(lua('take-orphans'));
    }

    /**
     * Stores the user's message, takes the hold and begins the answer; gives what `take_hold` said, where there is one.
     *
     * @throws THREAD_NOT_FOUND; ANSWER_RUNNING when another one takes the same place already; NOT_LAST_ANSWER;
     *   INSUFFICIENT_CREDITS, SPEND_LIMIT_REACHED
     */
    async begin({ info, owner, isNew, ownKeys, hold, outbox }: Beginning): Promise<PaymentReply> {
        const { context, draft, userMessage } = info;
        const keys = [
            ...this.#threads.contextKeys(context),
            answerKey({ tenantId: context.tenantId, messageId: draft.id }),
            this.#threads.providerKeys(context),
            this.#billing.key(context.tenantId),
        ];
        const { ownerId: userId, threadId, modelId } = context;
        const answer = Object.entries({
            state: 'running',
            owner,
            info: JSON.stringify(info),
            userId,
            threadId,
            modelId,
        });
        const change = {
            ...idsOf(context),
            answerId: draft.id,
            answer: answer.flat(),
            ownKeys,
            ...(hold && { hold }),
            ...(isNew && { message: encodeMessage(userMessage), last: preview(userMessage) }),
            ...(info.replaces && { replaces: info.replaces.messageId, replacesEntry: info.replaces.entryId }),
            ...outboxLists(outbox),
        };
        const reply = await this.#begin(keys, [JSON.stringify(change), FORGOTTEN_MS]);
        const [begun, ...payment] = reply as [number, ...PaymentReply];
        if (begun === -3) throw this.#billing.refusal(payment);
        const refusal = REFUSALS[begun];
        if (refusal) throw apiError(refusal);
        return payment;
    }

    /** Adds to the log. Once more has no effect. */
    async append(place: AnswerPlace, owner: string, from: number, events: LoggedEvent[]) {
        const keys = [answerKey(place), eventsKey(place)];
        const args = [owner, from + events.length, JSON.stringify(events), FORGOTTEN_MS, followersOf(place)];
        const code = await this.#append(keys, args);
        if (code === -1) return 'deleted';
        if (code === 0) return 'lost';
        return code === 2 ? 'cancelling' : 'running';
    }

    /** Ends an answer, counts its call and settles what it costs. Once more has no effect. */
    async end(info: AnswerInfo, { by, events, outbox, ...call }: Ending): Promise<'ended' | 'lost' | 'deleted'> {
        const { context, draft, replaces } = info;
        const place = { tenantId: context.tenantId, messageId: draft.id };
        const keys = [
            ...this.#threads.contextKeys(context),
            answerKey(place),
            eventsKey(place),
            this.#usage.key(userOf(context)),
            ...this.#threads.termKeys(context, context.threadId),
            this.#billing.key(context.tenantId),
        ];
        const { message, timing, from } = call;
        const settlement = this.#settlement(info, call);
        const change = {
            ...idsOf(context),
            answerId: draft.id,
            message: encodeMessage(message),
            last: preview(message),
            counts: this.#usage.counts(callOf(message, timing)),
            ...(settlement && { settlement }),
            // One without a word does not take the place of another.
            ...(replaces && { replaces: { ...replaces, keep: message.content === '' } }),
            ...(message.content !== '' && { titled: titled(info) }),
            ...outboxLists(outbox),
        };
        const args = [JSON.stringify(change), by, from + events.length, JSON.stringify(events), KEPT_MS];
        const code = await this.#end(keys, [...args, followersOf(place)]);
        // Not waited for: the lease on an answer that has ended is given up by whoever finds it.
        this.release(place).catch(() => undefined);
        if (code === 1 && settlement) this.#billing.settled(settlement);
        if (code === 1) return 'ended';
        return code === 0 ? 'lost' : 'deleted';
    }

    /** Counts and settles the call of an answer that was deleted with its thread: what it used was used. */
    async endDeleted(info: AnswerInfo, ending: EndedCallOf): Promise<void> {
        const { context, draft } = info;
        // Its end may not have been tried: the deletion shows as soon as it has something to say.
        this.release({ tenantId: context.tenantId, messageId: draft.id }).catch(() => undefined);
        this.#usage.record(userOf(context), ending.message.id, callOf(ending.message, ending.timing));
        const settlement = this.#settlement(info, ending);
        if (settlement) await this.#billing.settle(context.tenantId, settlement);
    }

    /** What is known of an answer, with its events after the first `known` ones; null when it is not kept (any more). */
    async read(place: AnswerPlace, known = 0): Promise<AnswerState | null> {
        return decodeAnswer((await this.#read([answerKey(place), eventsKey(place)], [known])) as ReadReply, known);
    }

    /** The answers of a context that are on their way, the newest first. */
    async running(context: ContextPlace): Promise<AnswerState[]> {
        const { tenantId, modelId } = context;
        const keys = [this.#threads.runningKey(context)];
        const found = (await this.#readRunning(keys, [modelId, answerKeys(tenantId)])) as ReadReply[];
        const answers = found.map((reply) => decodeAnswer(reply)).filter((answer) => answer !== null);
        return answers.toSorted((a, b) => (a.info.draft.id < b.info.draft.id ? 1 : -1));
    }

    /** Asks the process that writes an answer to cancel it. */
    async cancel(context: ContextPlace, messageId: string): Promise<'asked' | 'ended' | 'unknown'> {
        const { tenantId, ownerId, threadId, modelId } = context;
        const args = [ownerId, threadId, modelId, PROCESSES, messageId];
        const code = await this.#cancel([answerKey({ tenantId, messageId })], args);
        if (code === 0) return 'unknown';
        return code === 1 ? 'asked' : 'ended';
    }

    /** Takes the lease on an answer. */
    async hold(place: AnswerPlace, leaseMs: number): Promise<void> {
        await this.#hold([LEASES], [leaseMs, '', memberOf(place)]);
    }

    /** Renews the leases on answers that nobody has ended. */
    async renew(places: AnswerPlace[], leaseMs: number): Promise<void> {
        await this.#hold([LEASES], [leaseMs, 'XX', ...places.map(memberOf)]);
    }

    /** Gives up the lease on an answer that has not begun, or has ended. */
    async release(place: AnswerPlace): Promise<void> {
        await this.#redis.zrem(LEASES, memberOf(place));
    }

    /** Answers whose process is gone; no other process gets the same ones within the lease. */
    async takeOrphans(leaseMs: number): Promise<AnswerPlace[]> {
        const members = (await this.#takeOrphans([LEASES], [leaseMs, ORPHANS])) as string[];
        return members.map((member) => {
            const [tenantId = '', messageId = ''] = member.split('/');
            return { tenantId, messageId };
        });
    }

    /** What the call has to pay; null where it costs nothing. */
    #settlement({ bill }: AnswerInfo, { message, timing, from }: EndedCallOf): ScriptSettlement | null {
        if (!bill) return null;
        const { status, usage, answeredBy, modelId } = message;
        // Of a process that died it is known what it sent out.
        const hasBegun = timing ? timing.timeToFirstTokenMs !== null : from > 0;
        return this.#billing.settlementOf(bill, answeredBy ?? modelId, payableUsage(status, hasBegun, usage));
    }
}

/** What the codes of a beginning stand for. */
const REFUSALS: Record<number, ErrorCode> = {
    0: 'THREAD_NOT_FOUND',
    [-1]: 'ANSWER_RUNNING',
    [-2]: 'NOT_LAST_ANSWER',
};

/** The title that a thread without one has from here on. */
function titled({ context: { threadId, ownerId: userId }, userMessage, requestId }: AnswerInfo) {
    const title = titleOf(userMessage.content);
    const outbox: Outbox = { events: [{ type: 'thread.updated', data: { threadId, userId }, requestId }] };
    return { title, terms: titleTerms(title), ...outboxLists(outbox) };
}

/** The channel of those who follow an answer. */
export const followersOf = (place: AnswerPlace): string => `${answerKey(place)}:followers`;

/** The channel on which a process is asked to cancel an answer of its own. */
export const cancellationsOf = (owner: string): string => PROCESSES + owner;

const answerKey = ({ tenantId, messageId }: AnswerPlace): string => answerKeys(tenantId) + messageId;
const eventsKey = (place: AnswerPlace): string => `${answerKey(place)}:events`;
const memberOf = ({ tenantId, messageId }: AnswerPlace): string => `${tenantId}/${messageId}`;
const userOf = ({ tenantId, ownerId: userId }: ContextPlace) => ({ tenantId, userId });
const idsOf = ({ ownerId, threadId, modelId }: ContextPlace) => ({ ownerId, threadId, modelId });

const NOT_MEASURED: Timing = { durationMs: null, timeToFirstTokenMs: null };

/** The call of an answer that has ended, as it is counted. */
const callOf = ({ modelId, answeredBy, status, errorCode, usage }: EndedMessage, timing = NOT_MEASURED): EndedCall => ({
    modelId: answeredBy ?? modelId,
    outcome: status,
    errorCode,
    usage,
    ...timing,
});
