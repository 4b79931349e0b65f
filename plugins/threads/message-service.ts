import { assembleContext, checkLength, LOOK_BACK } from './context.ts';
import { restoredReply, runningReply, type Reply, type SentData } from './reply.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { Message } from './api.ts';
import type { Generation, Opening } from './generation.ts';
import type { Generations } from './generations.ts';
import type { ContextPlace, MessageQuery, ThreadStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Page } from '../../src/redis/collection.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { LimitService } from '../limits/api.ts';
import type { ModelCall, ModelService } from '../models/api.ts';

export interface NewMessage {
    content: string;
    temperature?: number;
}

export interface MessageServiceParts {
    store: ThreadStore;
    models: ModelService;
    limits: LimitService;
    generations: Generations;
    clock: Clock;
    logger: Logger;
}

/** The messages of a model's context in a thread. */
export class MessageService {
    readonly #parts: MessageServiceParts;

    constructor(parts: MessageServiceParts) {
        this.#parts = parts;
    }

    /** @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, INVALID_CURSOR */
    list(actor: Actor, threadId: string, model: string, query: MessageQuery): Promise<Page<Message>> {
        const { store, models } = this.#parts;
        return store.list(placeOf(actor, threadId, models.get(model).id), query);
    }

    /**
     * Stores the message, then calls the model. The answer goes on without whoever asked for it.
     *
     * @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, MESSAGE_TOO_LONG, PROVIDER_KEY_MISSING, VALIDATION_ERROR,
     *   SHUTTING_DOWN, CONCURRENCY_LIMIT
     */
    async send(actor: Actor, threadId: string, modelName: string, message: NewMessage): Promise<Reply> {
        const { store, models, generations, limits } = this.#parts;
        generations.checkOpen();
        const { content, temperature } = message;
        const model = models.get(modelName);
        const place = placeOf(actor, threadId, model.id);
        const tokens = checkLength(model, content);
        const { requestId } = actor;
        const asked = { model, messages: [], requestId, ...(temperature !== undefined && { temperature }) };
        const { call, ignoredParameters } = models.prepare(asked);
        const userMessage = { ...this.#draft(place), content, tokens };
        const details = ignoredParameters.length > 0 && { details: { ignoredParameters } };
        const opening = { userMessageId: userMessage.id, ...details };
        const slot = await limits.takeSlot(actor);
        try {
            const messages = assembleContext(model, await store.newest(place, LOOK_BACK), content);
            await this.#append(actor, place, userMessage);
            const generation = this.#generate(actor, place, { ...call, messages }, opening);
            void generation.finished.then(slot.release, slot.release);
            return runningReply(generation, { userMessage, ...details });
        } catch (error) {
            await slot.release();
            throw error;
        }
    }

    /** A reply that was given before, once more. */
    restore(sent: SentData): Reply {
        return restoredReply(sent, isoTime(this.#parts.clock()));
    }

    #generate(actor: Actor, place: ContextPlace, call: ModelCall, opening: Opening): Generation {
        const { models, generations, clock, logger } = this.#parts;
        const { requestId, tenantId, userId } = actor;
        return generations.start({
            models,
            call,
            draft: {
                ...this.#draft(place),
                role: 'assistant',
                temperature: call.temperature ?? null,
                replyTo: opening.userMessageId,
            },
            opening,
            save: (answer, isRepeated) => this.#append(actor, place, answer, isRepeated),
            clock,
            logger: logger.child({ module: 'threads', requestId, tenantId, userId, threadId: place.threadId }),
        });
    }

    #draft({ threadId, modelId }: ContextPlace): Message {
        return {
            id: newId('msg'),
            threadId,
            modelId,
            role: 'user',
            content: '',
            tokens: 0,
            temperature: null,
            status: 'complete',
            createdAt: isoTime(this.#parts.clock()),
            replyTo: null,
            finishReason: null,
            usage: null,
            errorCode: null,
        };
    }

    #append(actor: Actor, place: ContextPlace, message: Message, isRepeated = false): Promise<void> {
        const { id, role, status, threadId, modelId } = message;
        const type = role === 'user' ? 'message.created' : `message.${status}`;
        const events = [{ type, data: { userId: actor.userId, threadId, modelId, messageId: id } }];
        const details = { threadId, modelId };
        const entry = { action: 'message.send', resource: 'message', resourceId: id, result: 'success', details };
        const audit = role === 'user' ? [audited(actor, entry)] : [];
        return this.#parts.store.append(place, message, { events, audit }, isRepeated);
    }
}

const placeOf = ({ tenantId, userId }: Actor, threadId: string, modelId: string): ContextPlace => ({
    tenantId,
    ownerId: userId,
    threadId,
    modelId,
});
