import { messageSoFar } from './answer-codec.ts';
import { prepareCalls, type PreparedCalls, type Question } from './calls.ts';
import { checkLength, LOOK_BACK } from './context.ts';
import { newMessage, placeOf, type ContextPlace } from './message-codec.ts';
import { answerOutbox, questionOutbox } from './message-outbox.ts';
import { restoredReply, runningReply, type Reply, type SentData } from './reply.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { payerOf } from '../billing/api.ts';
import { KEY_NAMES, type Model, type ModelService } from '../models/api.ts';

import type { Replaced } from './answer-codec.ts';
import type { AnswerStore } from './answer-store.ts';
import type { Message } from './api.ts';
import type { Generations } from './generations.ts';
import type { CallContext, MessageQuery, ThreadStore } from './store.ts';
import type { AnswerStored } from './summary-jobs.ts';
import type { Clock } from '../../src/clock.ts';
import type { Page } from '../../src/redis/collection.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { BillingService } from '../billing/api.ts';
import type { LimitService } from '../limits/api.ts';
import type { ProfileService } from '../profile/api.ts';
import type { TenantSettings } from '../tenants/api.ts';

/** How an answer is given. */
export interface AnswerOptions {
    temperature?: number;
    /** Models that answer in place of one that fails before its first word. */
    fallbackModels?: string[];
    /** What happens to the answer when its client goes away. */
    onDisconnect?: 'finish' | 'cancel';
    /** Whether somebody still waits for it, as long as it waits for its turn. */
    isWanted?: () => boolean;
}

export type NewMessage = Question & AnswerOptions;

/** What a message and its answer are to be called. */
export interface MessageIds {
    questionId: string;
    answerId: string;
}

export interface MessageServiceParts {
    store: ThreadStore;
    answers: AnswerStore;
    models: ModelService;
    limits: LimitService;
    profile: Pick<ProfileService, 'callDefaults'>;
    generations: Generations;
    billing: BillingService;
    onStored: AnswerStored;
    clock: Clock;
    logger: Logger;
}

/** An answer that is about to begin. */
interface Draft {
    place: ContextPlace;
    messageId: string;
    userMessage: Message;
    isNew: boolean;
    replaces: Replaced | null;
    /** The one that is asked, then those in its place that the request names. */
    asked: [Model, ...Model[]];
    options: AnswerOptions;
}

/** The messages of a model's context in a thread. */
export class MessageService {
    readonly #parts: MessageServiceParts;

    constructor(parts: MessageServiceParts) {
        this.#parts = parts;
    }

    /**
     * A page of the messages of a context. Answers that are on their way go before the newest ones, besides the page's
     * own.
     *
     * @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, INVALID_CURSOR
     */
    async list(actor: Actor, threadId: string, model: string, query: MessageQuery): Promise<Page<Message>> {
        const { store, models, answers } = this.#parts;
        const place = placeOf(actor, threadId, models.get(model).id);
        const isNewest = query.direction === 'desc' && query.cursor === undefined;
        // Together, in this order: one that ends in between is in both, and none is in neither.
        const [running, page] = await Promise.all([isNewest ? answers.running(place) : [], store.list(place, query)]);
        const ended = new Set(page.items.map(({ id }) => id));
        const onTheirWay = running.map(messageSoFar).filter(({ id }) => !ended.has(id));
        return { ...page, items: [...onTheirWay, ...page.items] };
    }

    /**
     * Stores the message, then calls the model. The answer goes on without whoever asked for it.
     *
     * @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, MESSAGE_TOO_LONG, PROVIDER_KEY_MISSING, VALIDATION_ERROR,
     *   SHUTTING_DOWN, CONCURRENCY_LIMIT, PRICE_UNKNOWN, INSUFFICIENT_CREDITS, SPEND_LIMIT_REACHED
     */
    async send(
        actor: Actor,
        threadId: string,
        modelName: string,
        { content, ...options }: NewMessage,
        { questionId, answerId }: MessageIds,
    ): Promise<Reply> {
        const asked = await this.#asked(actor, modelName, options);
        const [model] = asked;
        const place = placeOf(actor, threadId, model.id);
        const tokens = checkLength(model, content);
        const userMessage = { ...newMessage(place, questionId), content, tokens };
        return this.#answer(actor, {
            place,
            messageId: answerId,
            userMessage,
            isNew: true,
            replaces: null,
            asked,
            options,
        });
    }

    /**
     * Answers the last message once more; the new answer takes the place of the old one when it has ended.
     *
     * @param newMessageId Of the new answer
     * @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, MESSAGE_NOT_FOUND, NOT_LAST_ANSWER, ANSWER_RUNNING and what `send`
     *   does
     */
    async regenerate(
        actor: Actor,
        { threadId, modelName, messageId }: { threadId: string; modelName: string; messageId: string },
        options: AnswerOptions,
        newMessageId: string,
    ): Promise<Reply> {
        const { store } = this.#parts;
        const asked = await this.#asked(actor, modelName, options);
        const place = placeOf(actor, threadId, asked[0].id);
        const [old, newest] = await Promise.all([store.find(place, messageId), store.newest(place)]);
        if (!old) throw apiError('MESSAGE_NOT_FOUND');
        const { replyTo } = old.message;
        if (newest?.entryId !== old.entryId || replyTo === null) throw apiError('NOT_LAST_ANSWER');
        const question = await store.find(place, replyTo);
        if (!question) throw apiError('NOT_LAST_ANSWER');
        return this.#answer(actor, {
            place,
            messageId: newMessageId,
            userMessage: question.message,
            isNew: false,
            replaces: { messageId, entryId: old.entryId },
            asked,
            options,
        });
    }

    /** A reply that was given before, once more. */
    restore(sent: SentData): Reply {
        return restoredReply(sent, isoTime(this.#parts.clock()));
    }

    async #asked(user: Actor, modelName: string, { fallbackModels = [] }: AnswerOptions): Promise<[Model, ...Model[]]> {
        const { models, generations } = this.#parts;
        generations.checkOpen();
        const inPlace = fallbackModels.map((name) => models.find(user, name));
        const [asked, others] = await Promise.all([models.find(user, modelName), Promise.all(inPlace)]);
        return [asked, ...others];
    }

    async #answer(actor: Actor, draft: Draft): Promise<Reply> {
        const { store, generations, limits, answers, billing, onStored } = this.#parts;
        const { place, userMessage, messageId, options } = draft;
        const answer = { tenantId: place.tenantId, messageId };
        const slot = await limits.takeSlot(actor, options.isWanted);
        try {
            // The process may have begun to stop while this waited for its slot.
            generations.checkOpen();
            const [read] = await Promise.all([
                // All names: which models answer in place of the one that is asked may be the tenant's to say.
                store.callContext(place, [...KEY_NAMES], LOOK_BACK),
                // In time: an answer must not begin that nobody would miss.
                generations.hold(answer),
                // Seldom a round trip; whether the call costs is not known yet.
                billing.register(place.tenantId),
            ]);
            // Of an answer anew: what came before its question.
            const context = draft.isNew ? read : before(read, userMessage.id);
            const question = { ...options, content: userMessage.content };
            const prepared = prepareCalls(this.#parts, actor, this.#inTurn(draft, read.settings), question, context);
            const generation = await this.#begin(actor, draft, prepared, read.settings);
            void generation.finished.then(slot.release, slot.release);
            const stored = () => onStored(place, read, draft.isNew, actor.requestId);
            void generation.finished.then(stored, () => undefined);
            const { ignoredParameters } = prepared;
            return runningReply(generation, {
                userMessage,
                ...(ignoredParameters.length > 0 && { details: { ignoredParameters } }),
            });
        } catch (error) {
            await slot.release();
            // One that has begun all the same, though we could not be told, is missed by its lease.
            if (isApiError(error)) await answers.release(answer).catch(() => undefined);
            throw error;
        }
    }

    /** The models to ask: the tenant's go in place of the one that is asked where the request names none itself. */
    #inTurn({ asked, options, place }: Draft, { fallbackModels }: TenantSettings): [Model, ...Model[]] {
        if (options.fallbackModels !== undefined) return asked;
        const { models, logger } = this.#parts;
        const [first] = asked;
        const others = fallbackModels.flatMap((id) => {
            try {
                return [models.get(id)];
            } catch (error) {
                if (!isApiError(error, 'MODEL_NOT_FOUND')) throw error;
                const { tenantId } = place;
                logger.warn(
                    { module: 'threads', tenantId, modelId: id },
                    'A tenant falls back on a model that is gone',
                );
                return [];
            }
        });
        return [first, ...others.filter(({ id }) => id !== first.id)];
    }

    async #begin(
        actor: Actor,
        draft: Draft,
        { calls, ignoredParameters, ownKeys }: PreparedCalls,
        { onDisconnect }: TenantSettings,
    ) {
        const { answers, generations, models, billing, clock, logger } = this.#parts;
        const { place, messageId, userMessage, isNew, replaces, options } = draft;
        const { requestId, tenantId, userId } = actor;
        const { threadId } = place;
        const about = { requestId, threadId, messageId };
        const order = { id: newId('hold'), payer: payerOf(actor), about, isNoted: true };
        const bill = billing.bill(order, calls);
        const [{ parameters }] = calls;
        const info = {
            context: place,
            draft: {
                ...newMessage(place, messageId),
                role: 'assistant' as const,
                temperature: parameters.temperature ?? null,
                replyTo: userMessage.id,
            },
            userMessage,
            ignoredParameters,
            inputTokens: models.estimateUsage(calls[0], '').inputFresh,
            replaces,
            bill: bill?.record ?? null,
            requestId,
        };
        const outbox = questionOutbox(actor, userMessage, isNew, ownKeys);
        const hold = bill && { hold: bill.hold };
        const payment = await answers.begin({ info, owner: generations.owner, isNew, ownKeys, ...hold, outbox });
        return generations.start({
            models,
            info,
            calls: bill ? billing.opened(bill, payment) : calls,
            bill,
            outboxOf: (message) => answerOutbox(info, message),
            endsWithClient: (options.onDisconnect ?? onDisconnect) === 'cancel',
            clock,
            logger: logger.child({ module: 'threads', requestId, tenantId, userId, threadId }),
        });
    }
}

/**
 * What came before a question. A summary that covers it would tell of its answer.
 *
 * @param context Up to an answer that is to be given anew
 */
function before(context: CallContext, questionId: string): CallContext {
    const later = context.messages.findIndex(({ id }) => id === questionId) + 1;
    const uncovered = context.uncovered - later;
    const messages = context.messages.slice(later);
    return uncovered < 0 ? { ...context, messages, summary: null } : { ...context, messages, uncovered };
}
