import { messageSoFar } from './answer-codec.ts';
import { followAnswer, type FollowParts } from './follow.ts';
import { placeOf, type ContextPlace } from './message-codec.ts';
import { followedReply, restoredEvents, type Reply, type SentData } from './reply.ts';
import { apiError } from '../../src/http/errors.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { AnswerInfo, AnswerState } from './answer-codec.ts';
import type { AnswerPlace } from './answer-store.ts';
import type { Message } from './api.ts';
import type { Generations } from './generations.ts';
import type { ThreadStore } from './store.ts';
import type { ServerSentEvent } from '../../src/http/sse.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { ModelService } from '../models/api.ts';

/** How long a request waits for an answer to end that it has cancelled. */
const CANCEL_PATIENCE_MS = 5_000;

export interface AnswerServiceParts extends FollowParts {
    threads: ThreadStore;
    generations: Generations;
    models: ModelService;
}

/** Single messages, and answers while they are given: on whichever replica that happens. */
export class AnswerService {
    readonly #parts: AnswerServiceParts;

    constructor(parts: AnswerServiceParts) {
        this.#parts = parts;
    }

    /**
     * A message; one that is on its way with its text so far. @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND,
     * MESSAGE_NOT_FOUND
     */
    async get(actor: Actor, threadId: string, model: string, messageId: string): Promise<Message> {
        const place = this.#place(actor, threadId, model);
        const answer = await this.#read(place, messageId);
        if (answer && !answer.isEnded) return messageSoFar(answer);
        return this.#stored(place, messageId);
    }

    /**
     * The events of an answer after one that is known, then what comes.
     *
     * @param gone Aborted when the client goes away
     * @param known Number of the last event that the client has; all are sent without it
     * @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, MESSAGE_NOT_FOUND, STREAM_EXPIRED
     */
    async events(
        actor: Actor,
        threadId: string,
        model: string,
        messageId: string,
        gone: AbortSignal,
        known?: number,
    ): Promise<AsyncIterable<ServerSentEvent[]>> {
        const place = this.#place(actor, threadId, model);
        const from = known === undefined ? 0 : known + 1;
        const running = this.#parts.generations.find(messageId);
        if (running && isOf(running.info, place)) {
            running.join(gone);
            return running.read(from);
        }
        const { tenantId } = place;
        if (await this.#read(place, messageId, from)) return followAnswer(this.#parts, { tenantId, messageId }, from);
        const message = await this.#stored(place, messageId);
        if (message.role !== 'assistant') throw apiError('MESSAGE_NOT_FOUND');
        if (known !== undefined) throw apiError('STREAM_EXPIRED');
        return restoredEvents({ assistantMessage: message }, isoTime(this.#parts.clock()));
    }

    /**
     * Ends an answer, on whichever replica; what came is kept. It may still be on its way when that takes long.
     *
     * @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, MESSAGE_NOT_FOUND, ANSWER_ENDED
     */
    async cancel(actor: Actor, threadId: string, model: string, messageId: string): Promise<Message> {
        const place = this.#place(actor, threadId, model);
        const asked = await this.#parts.store.cancel(place, messageId);
        if (asked === 'asked') await this.#untilEnded({ tenantId: place.tenantId, messageId });
        const message = await this.get(actor, threadId, model, messageId);
        // Asked for twice, it is cancelled all the same.
        if (asked !== 'asked' && message.status !== 'cancelled') throw apiError('ANSWER_ENDED');
        return message;
    }

    /** Takes part in an answer that was begun for an earlier request; null while there is none of that id. */
    async attach(actor: Actor, threadId: string, model: string, messageId: string): Promise<Reply | null> {
        const place = this.#place(actor, threadId, model);
        const answer = await this.#read(place, messageId);
        if (!answer) return null;
        const { userMessage, ignoredParameters } = answer.info;
        const follow = () => followAnswer(this.#parts, { tenantId: place.tenantId, messageId });
        const ended = async (): Promise<SentData> => ({
            userMessage,
            assistantMessage: await this.#stored(place, messageId),
            ...(ignoredParameters.length > 0 && { details: { ignoredParameters } }),
        });
        return followedReply(follow, ended);
    }

    #place(actor: Actor, threadId: string, model: string): ContextPlace {
        return placeOf(actor, threadId, this.#parts.models.get(model).id);
    }

    /** An answer that is on its way or ended a little while ago, if it belongs there. */
    async #read(place: ContextPlace, messageId: string, known = 0): Promise<AnswerState | null> {
        const answer = await this.#parts.store.read({ tenantId: place.tenantId, messageId }, known);
        return answer && isOf(answer.info, place) ? answer : null;
    }

    async #stored(place: ContextPlace, messageId: string): Promise<Message> {
        const found = await this.#parts.threads.find(place, messageId);
        if (!found) throw apiError('MESSAGE_NOT_FOUND');
        return found.message;
    }

    async #untilEnded(place: AnswerPlace): Promise<void> {
        const events = followAnswer(this.#parts, place);
        const timer = setTimeout(() => void events.return(undefined), CANCEL_PATIENCE_MS);
        try {
            for await (const _batch of events);
        } finally {
            clearTimeout(timer);
        }
    }
}

const isOf = ({ context }: AnswerInfo, { ownerId, threadId, modelId, tenantId }: ContextPlace): boolean =>
    context.tenantId === tenantId &&
    context.ownerId === ownerId &&
    context.threadId === threadId &&
    context.modelId === modelId;
